//! Finds "address already in use" in text such as messages, logs and program output, and the ports that it may mean.
//! Pure: it only suggests candidates, and may suggest too many, since the caller checks each port before naming it.
//! Knows no test runner and no language's exceptions.

use std::str;

/// Lower-case phrases that report an address in use. "Port 8080 is already in use" is recognised separately.
const PHRASES: [&str; 5] =
    ["address already in use", "addrinuse", "port_in_use", "port is already allocated", "connection in use"];

/// Extensions of source files: `a.test.js:12` is a position in a file, not an address.
const SOURCES: [&str; 23] = [
    "js", "cjs", "mjs", "jsx", "ts", "cts", "mts", "tsx", "py", "go", "rs", "rb", "java", "kt", "c", "cc", "cpp", "h",
    "hpp", "cs", "php", "ex", "exs",
];

/// How many bytes of a text are read at most. Of a longer text only the end is read, because failures are reported
/// there.
const MOST_TEXT: usize = 1_000_000;
const MOST_LINES: usize = 20;
const MOST_PORTS: usize = 20;
/// How many bytes before a number are examined to decide whether it is a port.
const MOST_BEFORE: usize = 128;
/// How many lines away from the error its port may be named: Node prints `port: 8080` some lines below it.
const LINES_BEFORE: usize = 3;
const LINES_AFTER: usize = 7;

/// What a text that reports an address in use says about its port. Both lists keep the order of the text, without
/// repeats.
///
/// ```
/// use portalloc::conflict::PortConflict;
///
/// let conflict = PortConflict::in_text("Error: listen EADDRINUSE: address already in use :::8080").unwrap();
/// assert_eq!(conflict.told, [8080]);
/// assert_eq!(PortConflict::in_text("listening on port 8080"), None);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PortConflict {
    /// Ports in the lines that report the conflict: the most likely ones.
    pub told: Vec<u16>,
    /// Further ports in the lines around those.
    pub around: Vec<u16>,
}

impl PortConflict {
    /// Searches `text`. `None` if it reports no port conflict.
    #[must_use]
    pub fn in_text(text: &str) -> Option<Self> {
        let plain = plain(text);
        let lines: Vec<&[u8]> = plain.split(|byte| *byte == b'\n').collect();
        let hits: Vec<usize> =
            (0..).zip(&lines).filter(|(_, line)| tells(line)).map(|(number, _)| number).take(MOST_LINES).collect();
        if hits.is_empty() {
            return None;
        }
        let (mut told, mut around) = (Vec::new(), Vec::new());
        for line in hits.iter().filter_map(|hit| lines.get(*hit)) {
            told.extend(mentions(line));
        }
        for hit in &hits {
            let first = hit.saturating_sub(LINES_BEFORE);
            let near = lines.iter().take(hit + LINES_AFTER + 1).skip(first);
            near.for_each(|line| around.extend(mentions(line)));
        }
        let told = some(told, &[]);
        Some(Self { around: some(around, &told), told })
    }
}

/// The ports that a text mentions, as part of an address or after the word `port`, whether it reports a conflict or
/// not.
#[must_use]
pub fn ports_in(text: &str) -> Vec<u16> {
    some(mentions(&plain(text)), &[])
}

/// Each port once, in order, without those in `known`, up to a maximum.
fn some(ports: impl IntoIterator<Item = u16>, known: &[u16]) -> Vec<u16> {
    let mut found = Vec::new();
    for port in ports {
        if found.len() < MOST_PORTS && !known.contains(&port) && !found.contains(&port) {
            found.push(port);
        }
    }
    found
}

/// The end of the text, without terminal colour sequences.
fn plain(text: &str) -> Vec<u8> {
    let bytes = text.as_bytes();
    let mut rest = bytes.get(bytes.len().saturating_sub(MOST_TEXT)..).unwrap_or_default();
    let mut plain = Vec::with_capacity(rest.len());
    while let Some((byte, after)) = rest.split_first() {
        rest = match coloured(rest) {
            Some(uncoloured) => uncoloured,
            None => {
                plain.push(*byte);
                after
            }
        };
    }
    plain
}

/// The text after a sequence such as `ESC [ 31 ; 1 m`, if it starts with one.
fn coloured(text: &[u8]) -> Option<&[u8]> {
    let inside = text.strip_prefix(b"\x1b[")?;
    let length = inside.iter().take_while(|byte| byte.is_ascii_digit() || **byte == b';').count();
    inside.get(length..)?.strip_prefix(b"m")
}

/// Whether a line reports an address in use.
fn tells(line: &[u8]) -> bool {
    let lower = String::from_utf8_lossy(line).to_ascii_lowercase();
    PHRASES.iter().any(|phrase| lower.contains(phrase))
        || lower.match_indices("in use").any(|(at, _)| lower.get(..at).is_some_and(ends_with_a_port))
}

/// Whether the text before "in use" names a port: "port 8080 is already ".
fn ends_with_a_port(lower: &str) -> bool {
    let said = lower.trim_end();
    let said = said.strip_suffix("already").unwrap_or(said).trim_end();
    let said = ["is", "was"].iter().find_map(|verb| said.strip_suffix(verb)).unwrap_or(said).trim_end();
    let number = |c: char| c.is_ascii_digit() || c.is_ascii_punctuation() || c == ' ';
    let before = said.trim_end_matches(number);
    before.strip_suffix("port").is_some_and(|before| !before.ends_with(char::is_alphabetic))
}

/// The numbers of a text that are ports, judging by the text around them.
fn mentions(text: &[u8]) -> Vec<u16> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(next) = text.iter().skip(at).position(u8::is_ascii_digit) {
        let start = at + next;
        let (before, from) = text.split_at(start);
        let (number, after) = from.split_at(digits(from));
        at = start + number.len();
        let before = before.get(before.len().saturating_sub(MOST_BEFORE)..).unwrap_or_default();
        let port = str::from_utf8(number).ok().filter(|number| number.len() <= 5).and_then(|text| text.parse().ok());
        if let Some(port @ 1..) = port
            && is_port(before, number, after)
        {
            found.push(port);
        }
    }
    found
}

/// Whether a number with this text before and after it is a port.
fn is_port(before: &[u8], number: &[u8], after: &[u8]) -> bool {
    let ends = !after.first().is_some_and(|byte| is_word(*byte));
    (ends && (is_after_the_word(before) || is_in_a_pair(before)))
        || before.strip_suffix(b":").is_some_and(|host| is_after_a_host(host, number, after))
}

/// `port 8080`, `port: 8080`, `"port": 8080`, `HTTP_PORT=8080`, `httpPort: 8080`; not `report 12`.
fn is_after_the_word(before: &[u8]) -> bool {
    let between = before.iter().rev().take_while(|byte| !is_word(**byte)).count();
    let word = before.get(..before.len() - between).and_then(<[u8]>::split_last_chunk::<4>);
    let Some((ahead, word)) = word.filter(|_| (1..=4).contains(&between)) else { return false };
    let begins = match ahead.last() {
        Some(byte) if byte.is_ascii_lowercase() => word.starts_with(b"P"),
        Some(byte) => !byte.is_ascii_alphabetic(),
        None => true,
    };
    begins && word.eq_ignore_ascii_case(b"port")
}

/// `('127.0.0.1', 8080`, the way Python prints an address.
fn is_in_a_pair(before: &[u8]) -> bool {
    let is_quote = |byte: &u8| matches!(byte, b'\'' | b'"');
    let Some(host) = before.trim_ascii_end().strip_suffix(b",").map(<[u8]>::trim_ascii_end) else { return false };
    let Some((quote, host)) = host.split_last() else { return false };
    let opened = host.iter().rposition(is_quote).and_then(|at| host.get(..at));
    is_quote(quote) && opened.is_some_and(|ahead| ahead.trim_ascii_end().ends_with(b"("))
}

/// `127.0.0.1:8080`, `:::8080`, `[::]:8080`, `*:8080`: follows the colon of an address, not that of a time of day, of a
/// position in a file, or inside an IPv6 address.
fn is_after_a_host(host: &[u8], number: &[u8], after: &[u8]) -> bool {
    if matches!(after, [b'.' | b':', digit, ..] if digit.is_ascii_digit()) {
        return false;
    }
    if host.ends_with(b":") && !host.ends_with(b"::") {
        return false; // `::1` is an address, and `:::1` is port 1 on every address
    }
    let length = host.iter().rev().take_while(|byte| is_of_an_address(**byte)).count();
    let (ahead, address) = host.split_at(host.len() - length);
    let colons = address.iter().filter(|byte| **byte == b':').count();
    let closed = after.iter().find(|byte| !is_of_an_address(**byte));
    if colons > 0 && ahead.ends_with(b"[") && closed == Some(&b']') {
        return false;
    }
    let last = host.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    let (ahead, last) = host.split_at(host.len() - last);
    if !last.is_empty() && ahead.ends_with(b":") && !address.windows(2).any(|pair| pair == b"::") {
        return false; // the seconds of a time, or the column of a place
    }
    !is_time(ahead, last, number) && !is_source(host)
}

/// Whether the number is the minutes of a time of day.
fn is_time(ahead: &[u8], hour: &[u8], minute: &[u8]) -> bool {
    let below = |number: &[u8], limit: u8| {
        let number = str::from_utf8(number).ok().and_then(|number| number.parse::<u8>().ok());
        number.is_some_and(|number| number < limit)
    };
    let begins = !ahead.last().is_some_and(|byte| matches!(byte, b'.' | b':' | b'-') || is_word(*byte));
    begins && minute.len() == 2 && below(minute, 60) && below(hour, 24)
}

/// Whether the text is the name of a source file, or of one of Node's own modules, such as `node:net`.
fn is_source(host: &[u8]) -> bool {
    let begins = host.iter().rposition(|byte| byte.is_ascii_whitespace() || *byte == b'(').map_or(0, |at| at + 1);
    if host.get(begins..).is_some_and(|name| name.starts_with(b"node:")) {
        return true;
    }
    let ending = host.iter().rev().take_while(|byte| byte.is_ascii_alphanumeric()).count();
    let (name, ending) = host.split_at(host.len() - ending);
    name.ends_with(b".") && SOURCES.iter().any(|source| ending.eq_ignore_ascii_case(source.as_bytes()))
}

fn digits(text: &[u8]) -> usize {
    text.iter().take_while(|byte| byte.is_ascii_digit()).count()
}

/// Letters, digits and `_`. A byte that is not ASCII counts as a letter.
fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || !byte.is_ascii()
}

/// Whether the byte can be part of an IPv4 or IPv6 address.
fn is_of_an_address(byte: u8) -> bool {
    byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.')
}
