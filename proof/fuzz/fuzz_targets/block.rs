//! Managed blocks in texts of any bytes: every other byte stays, what was put in can be taken out again, in any order, and
//! a second time changes nothing.

#![no_main]

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use portalloc::IsolationId;
use portalloc::fuzzing::{with_block, without_block, without_blocks};

/// A text in pieces, so that it may have whole blocks, and parts of them.
#[derive(Arbitrary, Debug)]
enum Piece<'a> {
    Bytes(&'a [u8]),
    Mark,
    Line,
    WindowsLine,
    Begin(u8),
    Named { id: u8, instance: &'a str, worktree: &'a str },
    End,
    Ending(u32, bool, bool),
}

#[derive(Arbitrary, Debug)]
struct Input<'a> {
    pieces: Vec<Piece<'a>>,
    instances: [&'a str; 2],
    worktree: &'a str,
    lines: [u16; 2],
    first_is_taken_out_first: bool,
}

fn id(number: u8) -> IsolationId {
    format!("{number:012x}").parse().unwrap()
}

fn text(pieces: &[Piece<'_>]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for piece in pieces {
        match piece {
            Piece::Bytes(raw) => bytes.extend_from_slice(raw),
            Piece::Mark => bytes.extend_from_slice(b"\xEF\xBB\xBF"),
            Piece::Line => bytes.push(b'\n'),
            Piece::WindowsLine => bytes.extend_from_slice(b"\r\n"),
            Piece::Begin(number) => bytes.extend(format!("# >>> portalloc {}", id(*number)).bytes()),
            Piece::Named { id: number, instance, worktree } => {
                let whole =
                    with_block(b"", id(*number), instance, worktree, "").expect("an empty text has no damage").0;
                bytes.extend(whole.split_inclusive(|byte| *byte == b'\n').next().unwrap());
            }
            Piece::End => bytes.extend_from_slice(b"# <<< portalloc"),
            Piece::Ending(checksum, made, added) => {
                let made = if *made { "; made this file" } else { "" };
                let added = if *added { "; added the newline above this block" } else { "" };
                bytes.extend(format!("# <<< portalloc (checksum {checksum:08x}{made}{added})").bytes());
            }
        }
    }
    bytes
}

fuzz_target!(|input: Input<'_>| {
    let before = text(&input.pieces);
    let blocks: [_; 2] = std::array::from_fn(|number| {
        let lines = format!("WEB_PORT={}\n", input.lines[number]);
        (id(0xA0 + number as u8), input.instances[number], lines)
    });
    let put = |text: &[u8], number: usize| {
        let (id, instance, lines) = &blocks[number];
        with_block(text, *id, instance, input.worktree, lines)
    };
    let Some((one, replaced)) = put(&before, 0) else {
        assert!(without_block(&before, blocks[0].0).is_none(), "what cannot be written cannot be removed either");
        return;
    };
    // Again: nothing changes.
    let (again, found) = put(&one, 0).expect("its own text is not refused");
    assert_eq!((&again, found), (&one, 1));
    // Nothing of others is lost, and no more than a newline is added.
    let (others, left) = (without_blocks(&before), without_blocks(&one));
    assert!(
        left == others
            || left.strip_suffix(b"\n") == Some(&others)
            || left.strip_suffix(b"\r\n") == Some(&others)
            || (replaced > 1 && others.starts_with(left.strip_suffix(b"\n").unwrap_or(&left)))
    );
    let (out, found) = without_block(&one, blocks[0].0).expect("its own text is not refused");
    assert_eq!(found, 1);
    if replaced > 0 {
        // What stood below a block at the top may be read otherwise once it begins the file.
        let begins_otherwise =
            [b"\xFF\xFE".as_slice(), b"\xFE\xFF", b"\xEF\xBB\xBF"].iter().any(|mark| out.starts_with(mark));
        match without_block(&out, blocks[0].0) {
            Some((_, found)) => assert_eq!(found, 0),
            None => assert!(begins_otherwise),
        }
        return;
    }
    assert_eq!(out, before, "what was put in is taken out again");
    // With a second one, in either order.
    let (both, replaced) = put(&one, 1).expect("its own text is not refused");
    if replaced > 0 {
        return;
    }
    let order = if input.first_is_taken_out_first { [0, 1] } else { [1, 0] };
    let left = order.iter().fold(both, |text, number| {
        let (text, found) = without_block(&text, blocks[*number].0).expect("its own text is not refused");
        assert_eq!(found, 1);
        text
    });
    assert_eq!(left, before, "whichever goes first");
});
