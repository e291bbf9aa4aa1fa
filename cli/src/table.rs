//! Tables without lines, as wide as the terminal.

use comfy_table::{ContentArrangement, Table, presets};

/// Renders rows below their heads.
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
    let width = usize::from(width());
    let (mut whole, mut line) = (String::new(), 0);
    for word in text.split(' ') {
        let length = word.chars().count();
        if line > 0 && line + 1 + length > width {
            whole.push('\n');
            line = 0;
        } else if line > 0 {
            whole.push(' ');
            line += 1;
        }
        whole += word;
        line += length;
    }
    whole + "\n"
}

/// What `COLUMNS` says, else the terminal, else 80.
pub(crate) fn width() -> u16 {
    let said = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    let terminal = || rustix::termios::tcgetwinsize(std::io::stdout()).ok().map(|size| size.ws_col);
    said.or_else(terminal).filter(|columns| *columns > 0).unwrap_or(80)
}
