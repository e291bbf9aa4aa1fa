//! The text of a file with managed blocks: finds them, and puts one in or takes it out such that every other byte stays
//! as it is. Pure.

use std::borrow::Cow;

use super::markers::{Ending, Marker, Owner, checksum};

const BOM: &[u8] = b"\xEF\xBB\xBF";
const UTF_16: [&[u8]; 2] = [b"\xFF\xFE", b"\xFE\xFF"];

/// Why a text cannot have a block put in or taken out.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Damage {
    pub(super) line: usize,
    pub(super) what: String,
    pub(super) remedy: &'static str,
}

/// A changed text.
#[derive(Debug)]
pub(super) struct Edit {
    pub(super) text: Vec<u8>,
    /// The blocks of the same owner that were in the text before.
    pub(super) found: Vec<Found>,
    /// Whether nothing is left of a file that portalloc made.
    pub(super) leaves_nothing: bool,
}

/// A block that was replaced or taken out.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) line: usize,
    pub(super) owner: Owner,
    /// Whether lines that portalloc did not write are lost with it.
    pub(super) is_edited: bool,
}

/// Puts a block with `lines` into `text`: in the place of the one that this worktree's instance has, else at the end.
/// `made_file` says that there is no file yet.
pub(super) fn insert(text: &[u8], owner: &Owner, lines: &str, made_file: bool) -> Result<Edit, Damage> {
    let mut pieces = pieces(text)?;
    let is_ours = |block: &Block<'_>| block.owner.instance == owner.instance || block.owner.id == owner.id;
    let ours = indices(&pieces, is_ours);
    let found = found(&pieces, &ours, Some(lines.as_bytes()));
    let Some((first, doubles)) = ours.split_first() else {
        let after_bom = text.strip_prefix(BOM).unwrap_or(text);
        let is_open = after_bom.last().is_some_and(|last| *last != b'\n');
        let newline = blocks(&pieces).next().map_or_else(|| newline_of(text), Block::newline);
        let ending = Ending { checksum: None, made_file, added_newline: is_open };
        let mut text = text.to_owned();
        if is_open {
            text.extend_from_slice(newline.as_bytes());
        }
        text.extend(Block::new(owner, lines, newline, ending).bytes());
        return Ok(Edit { text, found, leaves_nothing: false });
    };
    let made_file = take_all_out(&mut pieces, doubles);
    if let Some(block) = pieces.get_mut(*first).and_then(Piece::as_block_mut) {
        let (newline, is_open) = (block.newline(), block.is_open());
        let ending = Ending { made_file: block.ending.made_file || made_file, ..block.ending };
        let line = block.line;
        *block = Block { line, ..Block::new(owner, lines, newline, ending) };
        if is_open {
            block.open(newline);
        }
    }
    Ok(Edit { text: join(&pieces), found, leaves_nothing: false })
}

/// Takes the blocks that `is_ours` selects out of `text`.
pub(super) fn remove(text: &[u8], is_ours: impl Fn(&Owner) -> bool) -> Result<Edit, Damage> {
    let mut pieces = pieces(text)?;
    let ours = indices(&pieces, |block| is_ours(&block.owner));
    let found = found(&pieces, &ours, None);
    let made_file = take_all_out(&mut pieces, &ours);
    let heir = pieces.iter_mut().find_map(Piece::as_block_mut);
    if let Some(heir) = heir.filter(|_| made_file) {
        heir.set(Ending { made_file: true, ..heir.ending });
    }
    let text = join(&pieces);
    Ok(Edit { leaves_nothing: made_file && text.is_empty(), text, found })
}

/// What is not portalloc's in a text that may be cut off anywhere.
pub(super) fn without_blocks(text: &[u8]) -> Vec<u8> {
    let (mut left, rest) = match text.strip_prefix(BOM) {
        Some(rest) => (BOM.to_owned(), rest),
        None => (Vec::new(), text),
    };
    let mut is_inside = false;
    for line in rest.split_inclusive(|byte| *byte == b'\n') {
        match Marker::of(line) {
            Some(Marker::Begin(_)) => is_inside = true,
            Some(Marker::End(_)) => is_inside = false,
            None if is_inside => {}
            None => left.extend_from_slice(line),
        }
    }
    left
}

enum Piece<'a> {
    Text(&'a [u8]),
    Block(Block<'a>),
}

impl<'a> Piece<'a> {
    fn as_block(&self) -> Option<&Block<'a>> {
        if let Self::Block(block) = self { Some(block) } else { None }
    }

    fn as_block_mut(&mut self) -> Option<&mut Block<'a>> {
        if let Self::Block(block) = self { Some(block) } else { None }
    }
}

/// A block, from the first byte of its first line to the end of its last.
struct Block<'a> {
    /// The number of its first line.
    line: usize,
    owner: Owner,
    ending: Ending,
    begin: Cow<'a, [u8]>,
    lines: Cow<'a, [u8]>,
    end: Cow<'a, [u8]>,
}

impl Block<'_> {
    fn new(owner: &Owner, lines: &str, newline: &str, ending: Ending) -> Self {
        let ending = Ending { checksum: Some(checksum(lines.as_bytes())), ..ending };
        let bytes = |text: String| Cow::Owned(text.replace('\n', newline).into_bytes());
        Self {
            line: 0,
            owner: owner.clone(),
            ending,
            begin: bytes(format!("{}\n", owner.begin())),
            lines: bytes(lines.to_owned()),
            end: bytes(format!("{}\n", ending.line())),
        }
    }

    fn bytes(&self) -> Vec<u8> {
        [&*self.begin, &*self.lines, &*self.end].concat()
    }

    /// The end of its lines. An editor that converts a file converts the block, too.
    fn newline(&self) -> &'static str {
        newline_of(&self.begin)
    }

    /// Whether the last line has no end.
    fn is_open(&self) -> bool {
        !self.end.ends_with(b"\n")
    }

    fn open(&mut self, newline: &str) {
        self.end = Cow::Owned(without_newline(&self.end, newline).to_owned());
    }

    fn set(&mut self, ending: Ending) {
        let newline = if self.is_open() { "" } else { self.newline() };
        self.ending = ending;
        self.end = Cow::Owned(format!("{}{newline}", ending.line()).into_bytes());
    }

    /// Its lines as portalloc writes them, before they are given the file's ends of lines.
    fn plain_lines(&self) -> Vec<u8> {
        let mut plain = Vec::with_capacity(self.lines.len());
        for line in self.lines.split_inclusive(|byte| *byte == b'\n') {
            match line.strip_suffix(b"\r\n") {
                Some(line) => plain.extend([line, b"\n"].concat()),
                None => plain.extend_from_slice(line),
            }
        }
        plain
    }
}

/// The end of the first line of a text, which stands for the others.
fn newline_of(text: &[u8]) -> &'static str {
    let first = text.split_inclusive(|byte| *byte == b'\n').next().unwrap_or_default();
    if first.ends_with(b"\r\n") { "\r\n" } else { "\n" }
}

fn pieces(text: &[u8]) -> Result<Vec<Piece<'_>>, Damage> {
    check(text)?;
    let mut pieces = Vec::new();
    let bom = if text.starts_with(BOM) { BOM.len() } else { 0 };
    let slice = |from: usize, to: usize| text.get(from..to).unwrap_or_default();
    // Where the piece begins that has not ended yet, and the block in it: its line, its owner, where its lines begin.
    let (mut start, mut at) = (0, bom);
    let mut begun: Option<(usize, Owner, usize)> = None;
    for (number, line) in (1..).zip(slice(bom, text.len()).split_inclusive(|byte| *byte == b'\n')) {
        let next = at + line.len();
        match (Marker::of(line), begun.take()) {
            (None, before) => begun = before,
            (Some(Marker::Begin(Some(owner))), None) => {
                if start < at {
                    pieces.push(Piece::Text(slice(start, at)));
                }
                start = at;
                begun = Some((number, owner, next));
            }
            (Some(Marker::End(ending)), Some((line, owner, lines))) => {
                pieces.push(Piece::Block(Block {
                    line,
                    owner,
                    ending,
                    begin: Cow::Borrowed(slice(start, lines)),
                    lines: Cow::Borrowed(slice(lines, at)),
                    end: Cow::Borrowed(slice(at, next)),
                }));
                start = next;
            }
            (Some(Marker::Begin(_)), Some((line, ..))) => return Err(without_end(line, number)),
            (Some(Marker::Begin(None)), None) => return Err(without_owner(number)),
            (Some(Marker::End(_)), None) => return Err(without_begin(number)),
        }
        at = next;
    }
    if let Some((line, ..)) = begun {
        return Err(without_end(line, 0));
    }
    if start < text.len() {
        pieces.push(Piece::Text(slice(start, text.len())));
    }
    Ok(pieces)
}

fn check(text: &[u8]) -> Result<(), Damage> {
    let is_utf_16 = UTF_16.iter().any(|mark| text.starts_with(mark));
    let Some(nul) = text.iter().position(|byte| *byte == 0).or(is_utf_16.then_some(0)) else { return Ok(()) };
    Err(Damage {
        line: text.iter().take(nul).filter(|byte| **byte == b'\n').count() + 1,
        what: if is_utf_16 { "this file is UTF-16" } else { "a byte here is 0, so this is no text" }.to_owned(),
        remedy: "name an env file in UTF-8",
    })
}

const REMEDY: &str = "remove what is left of the block, with both of its lines that begin with `# >>> portalloc` and \
                      `# <<< portalloc`, and repeat the command";

fn without_end(line: usize, next: usize) -> Damage {
    let before = if next == 0 { String::new() } else { format!(" before the next one in line {next}") };
    Damage { line, what: format!("the managed block that begins here does not end{before}"), remedy: REMEDY }
}

fn without_begin(line: usize) -> Damage {
    Damage { line, what: "a managed block ends here that does not begin".to_owned(), remedy: REMEDY }
}

fn without_owner(line: usize) -> Damage {
    Damage { line, what: "the managed block that begins here names no environment".to_owned(), remedy: REMEDY }
}

fn indices(pieces: &[Piece<'_>], is_ours: impl Fn(&Block<'_>) -> bool) -> Vec<usize> {
    let is_one = |piece: &Piece<'_>| piece.as_block().is_some_and(&is_ours);
    pieces.iter().enumerate().filter(|(_, piece)| is_one(piece)).map(|(index, _)| index).collect()
}

/// What stood in the blocks, compared with what portalloc wrote there and with what it writes there now.
fn found(pieces: &[Piece<'_>], ours: &[usize], now: Option<&[u8]>) -> Vec<Found> {
    let blocks = ours.iter().filter_map(|index| pieces.get(*index)?.as_block());
    blocks
        .map(|block| {
            let lines = block.plain_lines();
            let is_edited = block.ending.checksum != Some(checksum(&lines)) && now != Some(&lines);
            Found { line: block.line, owner: block.owner.clone(), is_edited }
        })
        .collect()
}

/// Takes blocks out, from the last on, so that the places of the others stay. Returns whether portalloc made the file for
/// one of them.
fn take_all_out(pieces: &mut Vec<Piece<'_>>, indices: &[usize]) -> bool {
    let mut made_file = false;
    for index in indices.iter().rev() {
        made_file |= take_out(pieces, *index);
    }
    made_file
}

/// Takes one block out, and the newline that was added for it, unless something follows that needs it by now. Returns
/// whether portalloc made the file for this block.
fn take_out(pieces: &mut Vec<Piece<'_>>, index: usize) -> bool {
    let Piece::Block(block) = pieces.remove(index) else { return false };
    if block.ending.added_newline {
        match pieces.get_mut(index) {
            // That one has the newline above it now.
            Some(Piece::Block(next)) => next.set(Ending { added_newline: true, ..next.ending }),
            Some(Piece::Text(_)) => {}
            None => {
                let newline = block.newline();
                match pieces.last_mut() {
                    Some(Piece::Text(text)) => *text = without_newline(text, newline),
                    Some(Piece::Block(last)) => last.open(newline),
                    None => {}
                }
            }
        }
    }
    block.ending.made_file
}

fn without_newline<'a>(text: &'a [u8], newline: &str) -> &'a [u8] {
    text.strip_suffix(newline.as_bytes()).or_else(|| text.strip_suffix(b"\n")).unwrap_or(text)
}

fn blocks<'a, 'b>(pieces: &'b [Piece<'a>]) -> impl Iterator<Item = &'b Block<'a>> {
    pieces.iter().filter_map(Piece::as_block)
}

fn join(pieces: &[Piece<'_>]) -> Vec<u8> {
    let mut text = Vec::new();
    for piece in pieces {
        match piece {
            Piece::Text(part) => text.extend_from_slice(part),
            Piece::Block(block) => text.extend(block.bytes()),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::IsolationId;

    const LINES: &str = "ISOLATION_ID=3f9a0c71d2e4\nWEB_PORT=20001\n";

    fn id(id: &str) -> IsolationId {
        id.parse().unwrap()
    }

    fn owner() -> Owner {
        Owner::new(id("3f9a0c71d2e4"), "", "/work/tree")
    }

    fn other() -> Owner {
        Owner::new(id("0123456789ab"), "two words", "/work/tree")
    }

    fn with(text: impl AsRef<[u8]>) -> Vec<u8> {
        insert(text.as_ref(), &owner(), LINES, false).unwrap().text
    }

    fn without(text: impl AsRef<[u8]>, owner: &Owner) -> Edit {
        remove(text.as_ref(), |found| found.id == owner.id).unwrap()
    }

    fn shown(text: impl AsRef<[u8]>) -> String {
        String::from_utf8_lossy(text.as_ref()).into_owned()
    }

    #[test]
    fn a_block_stands_at_the_end_and_can_be_taken_out_again() {
        let text = with("A=1\n");
        assert_eq!(
            shown(&text),
            "A=1\n\
             # >>> portalloc 3f9a0c71d2e4 of /work/tree (managed: edits between these lines are lost)\n\
             ISOLATION_ID=3f9a0c71d2e4\nWEB_PORT=20001\n\
             # <<< portalloc (checksum b612fc86)\n"
        );
        assert_eq!(shown(without(&text, &owner()).text), "A=1\n");
        assert!(!without(&text, &other()).found.iter().any(|_| true), "that is another environment's");
    }

    #[test]
    fn every_other_byte_stays() {
        let texts: [&[u8]; 16] = [
            b"",
            b"\n",
            b"A=1",
            b"A=1\n",
            b"A=1\r\nB=2\r\n",
            b"A=1\r\nB=2",
            b"A=1\r",
            b"A=1\r\nB=1\r",
            b"A=\xff\xfe\n",
            b"\xEF\xBB\xBF",
            b"\xEF\xBB\xBFA=1\n",
            b"\xEF\xBB\xBFA=1",
            b"  # a comment\n\n\n",
            b"#>>> portalloc\n# >>> portallocx\n",
            b"A='1\n2'\n",
            b"\r\n",
        ];
        for text in texts {
            let one = with(text);
            assert_eq!(with(&one), one, "{:?} twice", shown(text));
            assert_eq!(without(&one, &owner()).text, text, "{:?}", shown(text));
            let both = insert(&one, &other(), "X=1\n", false).unwrap().text;
            for (first, last) in [(owner(), other()), (other(), owner())] {
                let left = without(&both, &first);
                assert_eq!(left.found.len(), 1);
                let left = without(left.text, &last);
                assert_eq!((left.found.len(), left.text.as_slice()), (1, text), "{:?}", shown(text));
            }
        }
    }

    #[test]
    fn the_ends_of_lines_are_those_of_the_file() {
        let text = shown(with("A=1\r\n"));
        assert_eq!(text.matches('\n').count(), text.matches("\r\n").count());
        let converted = text.replace("\r\n", "\n");
        let again = insert(converted.as_bytes(), &owner(), LINES, false).unwrap();
        assert_eq!((shown(again.text).as_str(), again.found[0].is_edited), (converted.as_str(), false));
    }

    #[test]
    fn what_follows_a_block_stays_apart_from_what_is_above_it() {
        let mut text = with("A=1");
        text.extend_from_slice(b"B=2\n");
        assert_eq!(shown(without(&text, &owner()).text), "A=1\nB=2\n");
        assert_eq!(shown(with(&text)), shown(&text), "the block stays where it is");
        let trimmed = shown(with("A=1\n")).trim_end().to_owned();
        assert_eq!(shown(with(&trimmed)), trimmed, "an editor took the last newline away");
    }

    #[test]
    fn a_file_that_portalloc_made_is_to_be_removed_once_nothing_is_in_it() {
        let made = insert(b"", &owner(), LINES, true).unwrap().text;
        assert!(without(&made, &owner()).leaves_nothing);
        assert!(!without(with(""), &owner()).leaves_nothing, "it was there, and empty");
        let both = insert(&made, &other(), "X=1\n", false).unwrap().text;
        let one = without(&both, &owner());
        assert!(!one.leaves_nothing);
        assert!(without(one.text, &other()).leaves_nothing, "the other block inherits the file");
        let moved = Owner::new(id("aaaaaaaaaaaa"), "", "/elsewhere");
        let rewritten = insert(&made, &moved, LINES, false).unwrap().text;
        assert!(without(rewritten, &moved).leaves_nothing);
        let edited = [made.as_slice(), b"A=1\n"].concat();
        let left = without(edited, &owner());
        assert_eq!((shown(left.text).as_str(), left.leaves_nothing), ("A=1\n", false));
    }

    #[test]
    fn a_block_that_somebody_edited_is_known() {
        let text = shown(with("A=1\n"));
        for (from, to, is_edited) in [
            ("20001", "3000", true),
            ("WEB_PORT=20001\n", "", true),
            (" (checksum b612fc86)", "", false),
            ("checksum b612fc86", "checksum b612fc87", false),
        ] {
            let edited = text.replace(from, to);
            assert_ne!(edited, text);
            let again = insert(edited.as_bytes(), &owner(), LINES, false).unwrap();
            assert_eq!((shown(again.text), again.found[0].is_edited), (text.clone(), is_edited), "{from:?}");
        }
        let renewed = insert(text.as_bytes(), &owner(), "WEB_PORT=20002\n", false).unwrap();
        assert!(!renewed.found[0].is_edited, "portalloc itself wrote what it replaces");
        assert!(without(text.replace("20001", "3000"), &owner()).found[0].is_edited);
    }

    #[test]
    fn of_two_blocks_the_first_stays() {
        let text = shown(with("A=1\n"));
        let doubled = format!("{text}B=2\n{}", text.strip_prefix("A=1\n").unwrap());
        let again = insert(doubled.as_bytes(), &owner(), LINES, false).unwrap();
        assert_eq!((shown(again.text), again.found.len()), (format!("{text}B=2\n"), 2));
        assert_eq!(again.found[1].line, 7);
        assert_eq!(shown(without(doubled, &owner()).text), "A=1\nB=2\n");
    }

    #[test]
    fn the_block_of_another_worktree_is_replaced_and_that_of_another_instance_is_not() {
        let copied = with("A=1\n");
        let here = Owner::new(id("aaaaaaaaaaaa"), "", "/copy");
        let again = insert(&copied, &here, LINES, false).unwrap();
        assert_eq!(again.found[0].owner, owner());
        assert!(!shown(&again.text).contains("3f9a0c71d2e4 of"));
        let second = insert(&copied, &other(), LINES, false).unwrap();
        assert_eq!(second.found.len(), 0);
        assert!(shown(&second.text).starts_with(&shown(&copied)));
    }

    #[test]
    fn a_cut_block_is_damage_with_its_line() {
        let text = shown(with("A=1\n"));
        let lines: Vec<&str> = text.split_inclusive('\n').collect();
        for (what, cut, line) in [
            ("no end", lines[..4].concat(), 2),
            ("no begin", lines[2..].concat(), 3),
            ("two begins", [&lines[..3], &lines[1..]].concat().concat(), 2),
            ("two ends", [&lines[..], &lines[4..]].concat().concat(), 6),
            ("no owner", text.replace(" of /work/tree", ""), 2),
        ] {
            for damage in [
                insert(cut.as_bytes(), &owner(), LINES, false).unwrap_err(),
                remove(cut.as_bytes(), |_| true).unwrap_err(),
            ] {
                assert_eq!(damage.line, line, "{what}: {damage:?}");
            }
        }
    }

    #[test]
    fn what_is_no_text_is_left_alone() {
        for (bytes, line) in [(b"\xff\xfeA\0".as_slice(), 1), (b"\xfe\xff", 1), (b"A=1\nB=\0\n", 2)] {
            assert_eq!(insert(bytes, &owner(), LINES, false).unwrap_err().line, line, "{bytes:?}");
        }
    }

    #[test]
    fn markers_name_any_path_and_any_instance_on_one_line() {
        for path in ["/a b (managed: x)", "/a\nb", "/a\\nb", "/a of b", "/ä\u{2028}b", "/"] {
            for instance in ["", "ci", "of", "a of b", " as \u{a0} ", "\u{2028}"] {
                let owner = Owner::new(id("0123456789ab"), instance, path);
                let line = owner.begin();
                assert!(!line.contains(['\n', '\u{2028}']), "{line:?}");
                assert_eq!(Marker::of(format!("\t{line} \r\n").as_bytes()), Some(Marker::Begin(Some(owner))));
            }
        }
        assert_ne!(Owner::new(id("0123456789ab"), "", "/a\nb"), Owner::new(id("0123456789ab"), "", "/a\\nb"));
    }

    #[test]
    fn what_is_not_portallocs_is_found_in_a_text_that_is_cut_off() {
        let text = with("A=1\nB=2\n");
        for length in 0..=text.len() {
            let left = without_blocks(&text[..length]);
            assert!(b"A=1\nB=2\n# >>> portalloc".starts_with(left.as_slice()), "{:?}", shown(left));
        }
        assert_eq!(without_blocks(&text), b"A=1\nB=2\n");
    }
}
