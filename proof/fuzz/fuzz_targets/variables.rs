//! How variables are written: each syntax, read back by its own rules, gives every value to the byte, and no value gets
//! out of its place.

#![no_main]

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use portalloc::environment::render;
use portalloc::ffi::syntax;

#[derive(Arbitrary, Debug)]
struct Input<'a> {
    values: Vec<&'a str>,
}

/// A reader of one syntax: the name and value of the first variable, and the rest of the text.
type Reader = fn(&str) -> Option<(String, String, &str)>;

fn named<'a>(text: &'a str, begin: &str, between: &str) -> Option<(String, &'a str)> {
    let (name, rest) = text.strip_prefix(begin)?.split_once(between)?;
    Some((name.to_owned(), rest))
}

/// A word of sh: single quotes take everything literally, outside of them a backslash quotes one character.
fn shell(text: &str) -> Option<(String, String, &str)> {
    let (name, mut rest) = named(text, "export ", "=")?;
    let mut value = String::new();
    loop {
        let mut chars = rest.chars();
        match chars.next()? {
            '\'' => {
                let (quoted, after) = chars.as_str().split_once('\'')?;
                value.push_str(quoted);
                rest = after;
            }
            '\\' => {
                value.push(chars.next().filter(|c| *c != '\n')?);
                rest = chars.as_str();
            }
            '\n' => return Some((name, value, chars.as_str())),
            _ => return None,
        }
    }
}

/// A string of fish: in single quotes a backslash quotes itself and the quote.
fn fish(text: &str) -> Option<(String, String, &str)> {
    let (name, rest) = named(text, "set -gx ", " '")?;
    let (mut value, mut chars) = (String::new(), rest.chars());
    loop {
        match chars.next()? {
            '\'' => return Some((name, value, chars.as_str().strip_prefix('\n')?)),
            '\\' => match chars.next()? {
                c @ ('\\' | '\'') => value.push(c),
                c => value.extend(['\\', c]),
            },
            c => value.push(c),
        }
    }
}

/// A string of PowerShell: a quote, of any of its kinds, is doubled.
fn powershell(text: &str) -> Option<(String, String, &str)> {
    let is_quote = |c: char| matches!(c, '\'' | '\u{2018}' | '\u{2019}' | '\u{201a}' | '\u{201b}');
    let (name, rest) = named(text, "$env:", " = '")?;
    let (mut value, mut chars) = (String::new(), rest.chars().peekable());
    let mut at = 0;
    while let Some(c) = chars.next() {
        at += c.len_utf8();
        if !is_quote(c) {
            value.push(c);
        } else if let Some(second) = chars.next_if(|next| is_quote(*next)) {
            at += second.len_utf8();
            value.push(c);
        } else {
            return Some((name, value, rest[at..].strip_prefix('\n')?));
        }
    }
    None
}

/// An env file, as docker compose and its like read it: bare, in single quotes literally, or in double quotes with
/// escapes. A bare value has nothing in it that any of them would take for something else.
fn dotenv(text: &str) -> Option<(String, String, &str)> {
    let (name, rest) = named(text, "", "=")?;
    let (value, rest) = match rest.chars().next()? {
        '\'' => {
            let (value, rest) = rest[1..].split_once('\'')?;
            assert!(!value.contains('\n'));
            (value.to_owned(), rest)
        }
        '"' => {
            let (mut value, mut chars) = (String::new(), rest[1..].chars());
            loop {
                match chars.next()? {
                    '"' => break (value, chars.as_str()),
                    '\\' => value.push(match chars.next()? {
                        'n' => '\n',
                        'r' => '\r',
                        c @ ('"' | '\\' | '$' | '`') => c,
                        _ => return None,
                    }),
                    '\n' | '\r' | '$' | '`' => return None,
                    c => value.push(c),
                }
            }
        }
        _ => {
            let end = rest.find('\n')?;
            let (value, rest) = rest.split_at(end);
            assert!(
                !value.contains(|c: char| c.is_whitespace() || "'\"\\$`#;&|<>()*?[]{}~!=".contains(c)),
                "{value:?}"
            );
            (value.to_owned(), rest)
        }
    };
    Some((name, value, rest.strip_prefix('\n')?))
}

/// A file behind `$GITHUB_ENV`: a line, or everything up to a line that was announced.
fn github(text: &str) -> Option<(String, String, &str)> {
    let (line, rest) = text.split_once('\n')?;
    let (equal, document) = (line.find('='), line.find("<<"));
    if let Some(document) = document.filter(|document| equal.is_none_or(|equal| document < &equal)) {
        let (name, end) = (&line[..document], &line[document + 2..]);
        let (mut value, mut rest) = (Vec::new(), rest);
        loop {
            let (line, after) = rest.split_once('\n')?;
            rest = after;
            if line == end {
                return Some((name.to_owned(), value.join("\n"), rest));
            }
            value.push(line);
        }
    }
    let (name, value) = line.split_at(equal?);
    Some((name.to_owned(), value[1..].to_owned(), rest))
}

fuzz_target!(|input: Input<'_>| {
    let variables: Vec<(String, String)> =
        input.values.iter().enumerate().map(|(index, value)| (format!("V_{index}"), (*value).to_owned())).collect();
    let readers: [(&str, Reader); 5] =
        [("shell", shell), ("fish", fish), ("powershell", powershell), ("dotenv", dotenv), ("github", github)];
    for (name, read) in readers {
        let text = render(&variables, syntax(name).unwrap());
        let mut rest = text.as_str();
        for (name, value) in &variables {
            let (read_name, read_value, after) = read(rest).unwrap_or_else(|| panic!("cannot be read: {rest:?}"));
            assert_eq!((&read_name, &read_value), (name, value), "{text:?}");
            rest = after;
        }
        assert_eq!(rest, "", "{text:?}");
    }
});
