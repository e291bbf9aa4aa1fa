//! Tables without borders, and flowing text, as wide as the terminal.

use comfy_table::{ContentArrangement, Table, presets};

/// Renders rows below their header.
pub(crate) fn render<const N: usize>(head: [&str; N], rows: impl Iterator<Item = [String; N]>) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width()).set_header(head);
    for row in rows {
        table.add_row(row);
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    table.trim_fmt() + "\n"
}

/// Text broken at spaces into lines as wide as the terminal.
pub(crate) fn paragraph(text: &str) -> String {
    let words = text.split(' ').map(|word| (word.chars().count(), word));
    flow(words, " ", usize::from(width()))
}

/// As many items to a line as fit. Each comes with its length, which its text need not have: styles take no room.
pub(crate) fn flow<T: AsRef<str>>(items: impl Iterator<Item = (usize, T)>, gap: &str, width: usize) -> String {
    let (mut text, mut column) = (String::new(), 0);
    for (length, item) in items {
        if column > 0 && column + gap.len() + length > width {
            text.push('\n');
            column = 0;
        } else if column > 0 {
            text += gap;
            column += gap.len();
        }
        text += item.as_ref();
        column += length;
    }
    text + "\n"
}

/// `COLUMNS` if it is set, else the terminal's width, else 80.
pub(crate) fn width() -> u16 {
    let set = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    let terminal = || terminal_size::terminal_size_of(std::io::stdout()).map(|(columns, _)| columns.0);
    set.or_else(terminal).filter(|columns| *columns > 0).unwrap_or(80)
}
