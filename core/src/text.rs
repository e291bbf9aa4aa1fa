//! Text from outside, made harmless for terminals. Knows nothing else.

/// Escapes characters that would move the cursor, change the colours of a terminal or start a new line.
pub(crate) fn printable(text: &str) -> String {
    escaped(text, char::is_control)
}

/// The same for a text of several lines, whose line breaks stay.
pub(crate) fn printable_lines(text: &str) -> String {
    escaped(text, |c| c.is_control() && c != '\n')
}

fn escaped(text: &str, is_harmful: impl Fn(char) -> bool) -> String {
    let mut harmless = String::with_capacity(text.len());
    for c in text.chars() {
        if is_harmful(c) { harmless.extend(c.escape_default()) } else { harmless.push(c) }
    }
    harmless
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_escaped() {
        assert_eq!(printable("a\u{1b}[2Jb\nc\u{e9}"), "a\\u{1b}[2Jb\\nc\u{e9}");
        assert_eq!(printable_lines("a\u{1b}[2Jb\nc\u{e9}"), "a\\u{1b}[2Jb\nc\u{e9}");
    }
}
