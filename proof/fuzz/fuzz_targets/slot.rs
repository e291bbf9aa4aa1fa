//! Slots of the `ports` file: what was written is read, and nothing else passes for a label.

#![no_main]

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use portalloc::IsolationId;
use portalloc::fuzzing::{Common, SlotText, read_slot, write_slot};
use portalloc::registry::ProcessStamp;
use portalloc_fuzz::{checksum, put_right};

#[derive(Arbitrary, Debug)]
enum Input {
    /// Any bytes; with their checksum put right, so that what is behind it is reached.
    Bytes {
        bytes: [u8; 64],
        checked: bool,
        magic: bool,
    },
    Label(Fields),
    Changed(Fields, u8, u8),
}

#[derive(Arbitrary, Debug)]
struct Fields {
    kept: bool,
    id: Option<[u8; 6]>,
    user: u32,
    lease: u64,
    since_ms: u64,
    expires_ms: Option<std::num::NonZeroU64>,
    process: (u32, u64, u32, u32),
    owned: bool,
}

impl Fields {
    fn slot(&self) -> SlotText {
        let (pid, start_time, pid_namespace, time_namespace) = self.process;
        let process = ProcessStamp { pid, start_time, pid_namespace, time_namespace };
        let hex = |id: [u8; 6]| id.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let id: Option<IsolationId> = self.id.map(|id| hex(id).parse().unwrap());
        let common = Common { id, user: self.user, lease: self.lease, since_ms: self.since_ms };
        if self.kept {
            let expires_ms = self.expires_ms.map(Into::into);
            SlotText::Kept { common, expires_ms, owner: self.owned.then_some(process) }
        } else {
            SlotText::Held { common, holder: process }
        }
    }
}

fuzz_target!(|input: Input| {
    match input {
        Input::Bytes { mut bytes, checked, magic } => {
            if magic {
                bytes[..3].copy_from_slice(b"PL\x01");
            }
            if checked {
                put_right(&mut bytes);
            }
            let expected_label =
                bytes[..3] == *b"PL\x01" && matches!(bytes[3], 1 | 2) && bytes[60..] == checksum(&bytes);
            match read_slot(&bytes) {
                SlotText::Empty => assert_eq!(bytes, [0; 64]),
                SlotText::Damaged => assert!(!expected_label && bytes != [0; 64], "{bytes:?}"),
                label => {
                    assert!(expected_label, "{bytes:?}");
                    assert_eq!(read_slot(&write_slot(label)), label);
                }
            }
        }
        Input::Label(fields) => {
            let written = write_slot(fields.slot());
            assert_eq!(read_slot(&written), fields.slot());
            assert_eq!(written[60..], checksum(&written));
        }
        Input::Changed(fields, at, change) => {
            let mut written = write_slot(fields.slot());
            written[usize::from(at) % 64] ^= change;
            let expected = if change == 0 { fields.slot() } else { SlotText::Damaged };
            assert_eq!(read_slot(&written), expected);
        }
    }
});
