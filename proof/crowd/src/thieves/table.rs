//! What the thieves got, as a table for people and as JSON. Knows numbers, not sockets.

use serde_json::{Value, json};

/// What one thief got of one holder, in all rounds together.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Cell {
    pub(super) stolen: usize,
    pub(super) tried: usize,
    /// Whether nothing may be stolen.
    pub(super) promised: bool,
}

impl Cell {
    pub(super) fn is_all(&self) -> bool {
        self.stolen == self.tried
    }

    pub(super) fn is_broken(&self) -> bool {
        self.promised && self.stolen > 0
    }

    /// As people read it; `!` beside what must not be.
    fn text(&self) -> String {
        let mark = if self.is_broken() { "!" } else { "" };
        match self.stolen {
            0 => "·".to_owned(),
            _ if self.is_all() => format!("X{mark}"),
            stolen => format!("{stolen} of {}{mark}", self.tried),
        }
    }
}

pub(super) struct Row {
    pub(super) name: &'static str,
    pub(super) cells: Vec<Cell>,
}

/// In Markdown, as wide as it needs to be.
pub(super) fn text(columns: &[&str], rows: &[Row]) -> String {
    let head = std::iter::once("what holds 20 ports".to_owned()).chain(columns.iter().map(|&name| name.to_owned()));
    let mut lines: Vec<Vec<String>> = vec![head.collect()];
    lines.extend(
        rows.iter().map(|row| std::iter::once(row.name.to_owned()).chain(row.cells.iter().map(Cell::text)).collect()),
    );
    let columns = 0..=columns.len();
    let widths: Vec<usize> = columns
        .map(|column| {
            lines.iter().filter_map(|line| line.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
        })
        .collect();
    let drawn = |line: &Vec<String>| {
        let cells = line.iter().zip(&widths).map(|(cell, width)| format!(" {cell:width$} |"));
        format!("|{}", cells.collect::<String>())
    };
    let rule = widths.iter().map(|width| format!("{}|", "-".repeat(width + 2))).collect::<String>();
    let mut drawn: Vec<String> = lines.iter().map(drawn).collect();
    drawn.insert(1, format!("|{rule}"));
    drawn.join("\n")
}

pub(super) fn json(columns: &[&str], rows: &[Row]) -> Value {
    let cell = |(name, cell): (&&str, &Cell)| {
        ((*name).to_owned(), json!({"stolen": cell.stolen, "tried": cell.tried, "promised": cell.promised}))
    };
    rows.iter()
        .map(|row| {
            let cells: serde_json::Map<String, Value> = columns.iter().zip(&row.cells).map(cell).collect();
            json!({"holder": row.name, "thieves": cells})
        })
        .collect()
}
