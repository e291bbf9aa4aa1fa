//! Tables without borders, and flowing text. On a terminal they are as wide as it is, and broken between words; elsewhere
//! lines are as long as they are, because programs read them.

use std::io::{self, IsTerminal};

use comfy_table::{ColumnConstraint, ContentArrangement, Table, Width, presets};

/// Renders rows below their header.
pub(crate) fn render<const N: usize>(head: [&str; N], rows: impl Iterator<Item = [String; N]>) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(head);
    let mut longest = head.map(longest_word);
    for row in rows {
        longest.iter_mut().zip(&row).for_each(|(longest, cell)| *longest = longest_word(cell).max(*longest));
        table.add_row(row);
    }
    match wrapping() {
        Some(width) => table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width),
        None => table.set_content_arrangement(ContentArrangement::Disabled),
    };
    for (column, longest) in table.column_iter_mut().zip(longest) {
        column.set_padding((0, GAP));
        // A path that is longer than the terminal is wide is left to the terminal, so that it can be copied.
        let least = u16::try_from(longest).unwrap_or(u16::MAX).saturating_add(GAP);
        column.set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(least)));
    }
    table.trim_fmt() + "\n"
}

/// Between two columns.
const GAP: u16 = 2;

fn longest_word(text: &str) -> usize {
    text.split_whitespace().map(|word| word.chars().count()).max().unwrap_or(0)
}

/// Text broken at spaces into lines as wide as the terminal; one line where there is none.
pub(crate) fn paragraph(text: &str) -> String {
    let words = text.split(' ').map(|word| (word.chars().count(), word));
    flow(words, " ", wrapping().map_or(usize::MAX, usize::from))
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

/// The width at which lines are broken, if standard output is a terminal.
fn wrapping() -> Option<u16> {
    io::stdout().is_terminal().then(width)
}

/// The width of a map: `COLUMNS` if it is set, else the terminal's width, else 80.
pub(crate) fn width() -> u16 {
    let set = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    let terminal = || terminal_size::terminal_size_of(io::stdout()).map(|(columns, _)| columns.0);
    set.or_else(terminal).filter(|columns| *columns > 0).unwrap_or(80)
}
