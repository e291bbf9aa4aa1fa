//! A map of the pool: a character for one or more ports, in rows that begin with their first port. The characters say
//! everything, so the map is complete without its colors. Knows neither the terminal nor where the classes come from.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use portalloc::pool::{PortClass, PortRange};

use crate::{output, table};

type Run = (PortRange, PortClass);

/// A cell stands for more ports if the map would have more rows than this.
const MAX_ROWS: usize = 20;

/// How many ports a cell may stand for: round numbers, so that readers can count on from the start of a row.
const STEPS: [u32; 14] = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 65_536];

/// Cells between spaces, and the width of a row's first port.
const GROUP: u32 = 10;
const LEAD: usize = 7;

const OUTSIDE: char = '-';

/// A cell of several ports shows the first of these classes that it has.
const BY_WEIGHT: [PortClass; 6] =
    [PortClass::Foreign, PortClass::Stale, PortClass::Held, PortClass::Kept, PortClass::Denied, PortClass::Free];

/// The character of a class, and its color.
const fn symbol(class: PortClass) -> (char, Style) {
    let plain = Style::new();
    match class {
        PortClass::Free => ('.', plain.dimmed()),
        PortClass::Held => ('#', AnsiColor::Green.on_default()),
        PortClass::Kept => ('K', AnsiColor::Cyan.on_default()),
        PortClass::Stale => ('s', AnsiColor::Yellow.on_default()),
        PortClass::Foreign => ('x', AnsiColor::Red.on_default().bold()),
        PortClass::Denied => ('!', AnsiColor::Magenta.on_default()),
        _ => ('?', plain),
    }
}

/// A line about the pool, the map and its legend, styled.
pub(crate) fn render(runs: &[Run], asked: &str, complete: bool, width: usize) -> String {
    let layout = Layout::new(runs, width);
    let total: usize = runs.iter().map(|(range, _)| range.count()).sum();
    let mut text = format!("POOL {asked}: {}", output::count(total, "port"));
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
        let order: Vec<String> = BY_WEIGHT
            .iter()
            .filter(|class| count(runs, **class) > 0)
            .map(|class| symbol(*class).0.to_string())
            .collect();
        if order.len() > 1 {
            let _ = writeln!(text, "A cell shows the first class that it has of {}", order.join(" "));
        }
    }
    if !complete {
        text += "This kernel does not show TCP sockets that are bound but do not listen.\n";
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
    /// The finest layout that is not too high.
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

    /// The rows that have a port, with the class that each cell shows.
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
                let (character, style) =
                    same.first().copied().flatten().map_or((OUTSIDE, Style::new().dimmed()), symbol);
                let _ = write!(text, "{style}{}{style:#}", character.to_string().repeat(same.len()));
            }
        }
        text.push('\n');
    }
}

/// The lower, the more important.
fn weight(class: Option<PortClass>) -> usize {
    class.and_then(|class| BY_WEIGHT.iter().position(|other| *other == class)).unwrap_or(BY_WEIGHT.len())
}

fn count(runs: &[Run], class: PortClass) -> usize {
    runs.iter().filter(|(_, other)| *other == class).map(|(range, _)| range.count()).sum()
}

/// Every character with its meaning, and how many ports it stands for.
fn legend(runs: &[Run], outside: bool, width: usize) -> String {
    let mut items = Vec::new();
    for class in PortClass::ALL {
        let count = count(runs, class);
        if count > 0 || class != PortClass::Denied {
            items.push((symbol(class), format!("{count} {}", word(class))));
        }
    }
    if outside {
        items.push(((OUTSIDE, Style::new().dimmed()), "not in the pool".to_owned()));
    }
    let items = items.into_iter().map(|((character, style), meaning)| {
        (meaning.chars().count() + 2, format!("{style}{character}{style:#} {meaning}"))
    });
    table::flow(items, "   ", width)
}

fn word(class: PortClass) -> &'static str {
    match class {
        PortClass::Foreign => "foreign",
        class => class.as_str(),
    }
}

#[cfg(test)]
mod tests {
    use portalloc::pool::PortSet;

    use super::*;

    /// A pool that is free except for some ports.
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
        let runs =
            runs("101-125,128", &[("103-104", PortClass::Held), ("110", PortClass::Foreign), ("125", PortClass::Kept)]);
        let expected = "POOL P: 26 ports\n\
                        101    ..##.....x .......... ....K--.\n\
                        . 22 free   # 2 held   K 1 kept   s 0 stale   x 1 foreign   - not in the pool\n";
        assert_eq!(drawn(&runs, 80), expected);
    }

    #[test]
    fn several_ports_a_cell_show_what_matters_most() {
        let runs = runs(
            "20001-29999",
            &[("20000-20009,25001", PortClass::Held), ("20005", PortClass::Foreign), ("20011", PortClass::Stale)],
        );
        // This test gives 20005 two classes, which no port ever has.
        let said = drawn(&runs, 80);
        let lines: Vec<&str> = said.lines().collect();
        assert!(lines[0].ends_with(", 10 a cell"), "{said}");
        assert!(lines[1].starts_with("20000  xs........ "), "{said}");
        assert!(lines[2].starts_with("20600  .......... "), "{said}");
        assert!(lines[9].starts_with("24800  .......... .......... #"), "{said}");
        assert!(said.contains("\nA cell shows the first class that it has of x s # .\n"), "{said}");
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
