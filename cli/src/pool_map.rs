//! A map of the pool: a character for so many ports, in rows that are led by their first port. The characters tell all;
//! colours, which whoever writes it out may drop, only help. Knows neither the terminal nor where the classes come from.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use portalloc::pool::{PortClass, PortRange};

type Run = (PortRange, PortClass);

/// More rows than this, and a cell stands for more ports.
const MAX_ROWS: usize = 20;

/// How many ports a cell may stand for: numbers by which one can count on.
const STEPS: [u32; 14] = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 65_536];

/// Cells that stand together, and the room for a row's first port.
const GROUP: u32 = 10;
const LEAD: usize = 7;

const OUTSIDE: char = '-';

/// What a cell of several ports shows: the first of these that it has.
const BY_WEIGHT: [PortClass; 6] =
    [PortClass::Stranger, PortClass::Stale, PortClass::Held, PortClass::Kept, PortClass::Denied, PortClass::Free];

/// The character of a class, and its colour.
const fn look(class: PortClass) -> (char, Style) {
    let plain = Style::new();
    match class {
        PortClass::Free => ('.', plain.dimmed()),
        PortClass::Held => ('#', AnsiColor::Green.on_default()),
        PortClass::Kept => ('K', AnsiColor::Cyan.on_default()),
        PortClass::Stale => ('s', AnsiColor::Yellow.on_default()),
        PortClass::Stranger => ('x', AnsiColor::Red.on_default().bold()),
        PortClass::Denied => ('!', AnsiColor::Magenta.on_default()),
        _ => ('?', plain),
    }
}

/// The map with a line about the pool above it and its legend below it, in styles.
pub(crate) fn render(runs: &[Run], asked: &str, complete: bool, width: usize) -> String {
    let layout = Layout::new(runs, width);
    let total: usize = runs.iter().map(|(range, _)| range.count()).sum();
    let mut text = format!("POOL {asked}: {}", crate::output::count(total, "port"));
    if layout.step > 1 {
        let _ = write!(text, ", {} a cell", layout.step);
    }
    text.push('\n');
    let rows = layout.rows(runs);
    for (number, cells) in &rows {
        layout.write(&mut text, *number, cells);
    }
    let outside = rows.values().any(|cells| cells.contains(&None));
    text += &legend(runs, outside, width);
    if layout.step > 1 {
        let order: Vec<String> =
            BY_WEIGHT.iter().filter(|class| count(runs, **class) > 0).map(|class| look(*class).0.to_string()).collect();
        if order.len() > 1 {
            let _ = writeln!(text, "A cell shows the first that it has of {}", order.join(" "));
        }
    }
    if !complete {
        text += "This kernel does not show TCP sockets that are bound and do not listen.\n";
    }
    text
}

/// How ports are laid out in cells and rows.
struct Layout {
    /// The lowest port of the first cell.
    start: u32,
    /// Ports a cell.
    step: u32,
    /// Cells a row.
    cells: u32,
}

impl Layout {
    /// The finest one that is not too high.
    fn new(runs: &[Run], width: usize) -> Self {
        let room = u32::try_from(width.saturating_sub(LEAD)).unwrap_or(u32::MAX);
        // Each group but the last is followed by a space.
        let groups = room.saturating_add(1) / (GROUP + 1);
        let cells = if groups > 0 { groups.min(20) * GROUP } else { room.max(1) };
        let first = runs.first().map_or(1, |(range, _)| u32::from(range.first()));
        let layout = |step| Self { start: first / step * step, step, cells };
        let fits = |layout: &Self| {
            let rows: BTreeSet<u32> =
                runs.iter().flat_map(|(range, _)| layout.row(range.first())..=layout.row(range.last())).collect();
            rows.len() <= MAX_ROWS
        };
        STEPS.map(layout).into_iter().find(fits).unwrap_or_else(|| layout(65_536))
    }

    fn cell(&self, port: u16) -> u32 {
        (u32::from(port) - self.start) / self.step
    }

    fn row(&self, port: u16) -> u32 {
        self.cell(port) / self.cells
    }

    /// The rows that have a port, each cell with the class it shows.
    fn rows(&self, runs: &[Run]) -> BTreeMap<u32, Vec<Option<PortClass>>> {
        let mut rows: BTreeMap<u32, Vec<Option<PortClass>>> = BTreeMap::new();
        for (range, class) in runs {
            for cell in self.cell(range.first())..=self.cell(range.last()) {
                let row = rows.entry(cell / self.cells).or_default();
                let at = (cell % self.cells) as usize;
                if row.len() <= at {
                    row.resize(at + 1, None);
                }
                if let Some(shown) = row.get_mut(at)
                    && weight(Some(*class)) < weight(*shown)
                {
                    *shown = Some(*class);
                }
            }
        }
        rows
    }

    fn write(&self, text: &mut String, number: u32, cells: &[Option<PortClass>]) {
        let first = (self.start + number * self.cells * self.step).max(1);
        let _ = write!(text, "{first:<LEAD$}");
        for (index, group) in cells.chunks(GROUP as usize).enumerate() {
            if index > 0 {
                text.push(' ');
            }
            for same in group.chunk_by(|a, b| a == b) {
                let (symbol, style) = same.first().copied().flatten().map_or((OUTSIDE, Style::new().dimmed()), look);
                let _ = write!(text, "{style}{}{style:#}", symbol.to_string().repeat(same.len()));
            }
        }
        text.push('\n');
    }
}

/// The lower, the more it matters.
fn weight(class: Option<PortClass>) -> usize {
    class.and_then(|class| BY_WEIGHT.iter().position(|other| *other == class)).unwrap_or(BY_WEIGHT.len())
}

fn count(runs: &[Run], class: PortClass) -> usize {
    runs.iter().filter(|(_, other)| *other == class).map(|(range, _)| range.count()).sum()
}

/// Every character with its meaning, and how many ports it stands for; as many to a line as there is room.
fn legend(runs: &[Run], outside: bool, width: usize) -> String {
    let mut items = Vec::new();
    for class in PortClass::ALL {
        let count = count(runs, class);
        if count > 0 || class != PortClass::Denied {
            let (symbol, style) = look(class);
            items.push((symbol, style, format!("{count} {}", word(class, count))));
        }
    }
    if outside {
        items.push((OUTSIDE, Style::new().dimmed(), "not in the pool".to_owned()));
    }
    let (mut text, mut line) = (String::new(), 0);
    for (symbol, style, meaning) in items {
        let length = meaning.chars().count() + 2;
        if line > 0 && line + 3 + length > width {
            text.push('\n');
            line = 0;
        } else if line > 0 {
            text += "   ";
            line += 3;
        }
        let _ = write!(text, "{style}{symbol}{style:#} {meaning}");
        line += length;
    }
    text + "\n"
}

fn word(class: PortClass, count: usize) -> &'static str {
    match class {
        PortClass::Stranger if count != 1 => "strangers",
        class => class.as_str(),
    }
}

#[cfg(test)]
mod tests {
    use portalloc::pool::PortSet;

    use super::*;

    /// Everything is free but for some ports.
    fn runs(pool: &str, others: &[(&str, PortClass)]) -> Vec<Run> {
        let parse = |text: &str| PortSet::parse(text).unwrap();
        let mut free = parse(pool);
        let mut runs = Vec::new();
        for (ports, class) in others {
            free = free.without(&parse(ports));
            runs.extend(parse(ports).ranges().iter().map(|range| (*range, *class)));
        }
        runs.extend(free.ranges().iter().map(|range| (*range, PortClass::Free)));
        runs.sort_by_key(|(range, _)| range.first());
        runs
    }

    fn drawn(runs: &[Run], width: usize) -> String {
        anstream::adapter::strip_str(&render(runs, "P", true, width)).to_string()
    }

    #[test]
    fn a_port_a_cell_where_there_is_room() {
        let runs = runs(
            "101-125,128",
            &[("103-104", PortClass::Held), ("110", PortClass::Stranger), ("125", PortClass::Kept)],
        );
        let expected = "POOL P: 26 ports\n\
                        101    ..##.....x .......... ....K--.\n\
                        . 22 free   # 2 held   K 1 kept   s 0 stale   x 1 stranger   - not in the pool\n";
        assert_eq!(drawn(&runs, 80), expected);
    }

    #[test]
    fn several_ports_a_cell_show_what_matters_most() {
        let runs = runs(
            "20001-29999",
            &[("20000-20009,25001", PortClass::Held), ("20005", PortClass::Stranger), ("20011", PortClass::Stale)],
        );
        // 20005 is both in this test, as no port ever is.
        let said = drawn(&runs, 80);
        let lines: Vec<&str> = said.lines().collect();
        assert!(lines[0].ends_with(", 10 a cell"), "{said}");
        assert!(lines[1].starts_with("20000  xs........ "), "{said}");
        assert!(lines[2].starts_with("20600  .......... "), "{said}");
        assert!(lines[9].starts_with("24800  .......... .......... #"), "{said}");
        assert!(said.contains("\nA cell shows the first that it has of x s # .\n"), "{said}");
    }

    #[test]
    fn rows_without_a_port_are_left_out() {
        let said = drawn(&runs("1000-1009,60000,65535", &[]), 80);
        let rows: Vec<&str> = said.lines().filter(|line| line.starts_with(|c: char| c.is_ascii_digit())).collect();
        assert_eq!(rows.len(), 3, "{said}");
        assert_eq!(rows[0], "1000   ..........");
        assert!(rows[1].starts_with("59980  ---------- ---------- ."), "{said}");
    }

    #[test]
    fn any_pool_fits_any_width() {
        for pool in ["1", "65535", "1-65535", "20001-29999", "1-10,65000-65535"] {
            let runs = runs(pool, &[]);
            for width in [0, 1, 7, 8, 17, 18, 40, 80, 132, 500, 65535] {
                let said = drawn(&runs, width);
                let rows: Vec<&str> =
                    said.lines().filter(|line| line.starts_with(|c: char| c.is_ascii_digit())).collect();
                assert!((1..=MAX_ROWS).contains(&rows.len()), "{pool} in {width}:\n{said}");
                assert!(rows.iter().all(|row| row.chars().count() <= width.max(8)), "{pool} in {width}:\n{said}");
            }
        }
    }
}
