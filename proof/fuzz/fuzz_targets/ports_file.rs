//! The `ports` file with any bytes and of any size, beside records of any kind: whatever is done with such a registry, no
//! port is given out twice, none that a live environment claims is given out at all, every one that nobody claims is found,
//! and after a cleanup the whole pool is to be had.
//!
//! What is claimed is judged anew from the files before every lease, by rules written down here.

#![no_main]
#![expect(clippy::disallowed_methods, reason = "files of the fuzzer's own, in its scratch directory")]

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::sync::OnceLock;

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use portalloc::cleanup::{Cleanup, Selection};
use portalloc::fuzzing::{Common, SlotText, read_slot, this_process, write_slot};
use portalloc::pool::PortClass;
use portalloc::registry::{Lifetime, ProcessStamp, Record};
use portalloc::{Allocator, Error, ErrorCode, Lease, LeaseRequest};
use portalloc_fuzz::{FUTURE, PAST, POOL, Place, allocator, checksum, fair, id, open, put_right, record, scratch};
use serde_json::json;

#[derive(Arbitrary, Debug)]
struct Input<'a> {
    records: Vec<Stored<'a>>,
    slots: Vec<(u8, Stands<'a>)>,
    size: Size,
    header: Header<'a>,
    steps: Vec<Step>,
}

#[derive(Arbitrary, Debug)]
struct Stored<'a> {
    id: u8,
    ports: u16,
    expires: Expires,
    owner: Process,
    held: bool,
    unfinished: bool,
    instead: Option<&'a [u8]>,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Expires {
    Never,
    Past,
    Future,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Process {
    None,
    This,
    Ended,
    Elsewhere,
    OtherTime,
}

#[derive(Arbitrary, Debug)]
enum Stands<'a> {
    Nothing,
    Bytes(&'a [u8]),
    Label(Written),
    Damaged(Written, u8),
}

#[derive(Arbitrary, Debug)]
struct Written {
    kept: bool,
    id: Option<u8>,
    expires: Expires,
    process: Process,
    user: u32,
    lease: u64,
    since_ms: u64,
}

#[derive(Arbitrary, Debug)]
enum Size {
    Right,
    Nothing,
    /// So many bytes from the slot of the first port of the pool on.
    CutAt(u16),
    Longer(u16),
}

/// What stands in slot 0.
#[derive(Arbitrary, Debug)]
enum Header<'a> {
    Right,
    Bytes(&'a [u8]),
    Changed(u8, u8),
    /// With its checksum, so that what is behind it is reached.
    Fields {
        format: u16,
        minimum_reader: u16,
        version: &'a [u8],
        namespace: Option<u64>,
    },
}

/// What is to be made of a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Usable,
    Unusable,
    /// Of a network namespace that is gone: the registry of this one is another one.
    OfAnother,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Step {
    Run(u8),
    Scattered(u8),
    Offsets(u8, u8),
    These(u8, u8),
    Sticky(u8),
    Release(u8),
    Census,
    List,
    Reconcile,
    Validate(u8),
    Attach(u8),
    Check(u8),
    CleanupId(u8),
    CleanupStale,
    Reopen,
}

const FILE_SIZE: u64 = 65536 * 64;
/// Environments there may be.
const IDS: u8 = 4;

fn place() -> &'static Place {
    static PLACE: OnceLock<Place> = OnceLock::new();
    PLACE.get_or_init(Place::new)
}

impl Header<'_> {
    fn bytes(&self) -> [u8; 64] {
        let mut header = place().header;
        match self {
            Self::Right => {}
            Self::Bytes(bytes) => header = std::array::from_fn(|at| bytes.get(at).copied().unwrap_or(0)),
            Self::Changed(at, change) => header[usize::from(*at) % 64] ^= change,
            Self::Fields { format, minimum_reader, version, namespace } => {
                header[10..12].copy_from_slice(&format.to_le_bytes());
                header[12..14].copy_from_slice(&minimum_reader.to_le_bytes());
                header[14..38].iter_mut().zip(*version).for_each(|(to, from)| *to = *from);
                if let Some(namespace) = namespace {
                    header[38..46].copy_from_slice(&namespace.to_le_bytes());
                }
                put_right(&mut header);
            }
        }
        header
    }
}

fn verdict(header: &[u8; 64]) -> Verdict {
    let (minimum_reader, namespace) = (&header[12..14], &header[38..46]);
    if header[..10] != *b"portalloc\n" || header[60..] != checksum(header) || !matches!(minimum_reader, [0 | 1, 0]) {
        return Verdict::Unusable;
    }
    let own = &place().header[38..46];
    let is_own = namespace == own || namespace == [0; 8] || own == [0; 8];
    if is_own { Verdict::Usable } else { Verdict::OfAnother }
}

fn stamp(process: Process) -> Option<ProcessStamp> {
    let here = this_process().unwrap();
    match process {
        Process::None => None,
        Process::This => Some(here),
        Process::Ended => Some(ProcessStamp { start_time: here.start_time + 1, ..here }),
        Process::Elsewhere => Some(ProcessStamp { pid_namespace: 1, ..here }),
        Process::OtherTime => Some(ProcessStamp { time_namespace: 1, ..here }),
    }
}

impl Written {
    fn bytes(&self) -> [u8; 64] {
        let id = self.id.map(|number| id(number % IDS).parse().unwrap());
        let common = Common { id, user: self.user, lease: self.lease, since_ms: self.since_ms };
        let expires_ms = match self.expires {
            Expires::Never => None,
            Expires::Past => Some(1),
            Expires::Future => Some(u64::MAX - 1),
        };
        write_slot(match (self.kept, stamp(self.process)) {
            (true, owner) => SlotText::Kept { common, expires_ms, owner },
            (false, holder) => SlotText::Held { common, holder: holder.unwrap_or(this_process().unwrap()) },
        })
    }
}

fn prepare(input: &Input<'_>) {
    let place = place();
    place.clear_records();
    for stored in &input.records {
        let id = id(stored.id % IDS);
        let ports: Vec<u16> = POOL.filter(|port| stored.ports & (1 << (port - POOL.start())) != 0).collect();
        let mut value = record(&id, &ports, scratch(), this_process().unwrap());
        value["expires_at"] = match stored.expires {
            Expires::Never => json!(null),
            Expires::Past => json!(PAST),
            Expires::Future => json!(FUTURE),
        };
        value["owner"] = json!(stamp(stored.owner));
        if stored.held {
            value["lifetime"] = json!("held");
        }
        let path = if stored.unfinished { place.making(&id) } else { place.record(&id) };
        let text = stored.instead.map_or_else(|| value.to_string().into_bytes(), <[u8]>::to_vec);
        let _ = fs::remove_file(&path);
        fs::write(&path, text).unwrap();
    }
    let file = OpenOptions::new().write(true).open(&place.ports).unwrap();
    file.set_len(0).unwrap();
    file.set_len(FILE_SIZE).unwrap();
    file.write_all_at(&input.header.bytes(), 0).unwrap();
    for (offset, stands) in &input.slots {
        // One port below the pool and one above it, too.
        let port = POOL.start() - 1 + u16::from(*offset) % 18;
        let slot = match stands {
            Stands::Nothing => [0; 64],
            Stands::Bytes(bytes) => std::array::from_fn(|at| bytes.get(at).copied().unwrap_or(0)),
            Stands::Label(label) => label.bytes(),
            Stands::Damaged(label, at) => {
                let mut bytes = label.bytes();
                bytes[usize::from(*at) % 64] ^= 0x40;
                bytes
            }
        };
        file.write_all_at(&slot, u64::from(port) * 64).unwrap();
    }
    let first = u64::from(*POOL.start()) * 64;
    match input.size {
        Size::Right => {}
        Size::Nothing => file.set_len(0).unwrap(),
        Size::CutAt(bytes) => file.set_len(first + u64::from(bytes) % 1200).unwrap(),
        Size::Longer(bytes) => file.set_len(FILE_SIZE + u64::from(bytes)).unwrap(),
    }
}

/// What the files say of each port of the pool.
struct Claims {
    /// Of live environments: never to be given out.
    live: BTreeSet<u16>,
    /// Of whoever may have a say. All others are to be had.
    any: BTreeSet<u16>,
}

/// A process that has surely not ended, or surely has.
fn runs(process: Option<ProcessStamp>) -> Option<bool> {
    let here = this_process().unwrap();
    match process {
        None => Some(true),
        Some(process) if process == here => Some(true),
        Some(process) if process.pid_namespace != here.pid_namespace => Some(true),
        Some(process) if process.time_namespace != here.time_namespace => Some(true),
        Some(process) if process.pid == here.pid => Some(false),
        Some(_) => None,
    }
}

/// Records that portalloc itself takes for records, and whether they are finished ones.
fn records(allocator: &Allocator) -> Vec<(Record, bool)> {
    (0..IDS)
        .filter_map(|number| {
            let finished = fs::symlink_metadata(place().record(&id(number))).is_ok();
            let path = if finished { place().record(&id(number)) } else { place().making(&id(number)) };
            allocator.environment_ports(id(number).parse().unwrap()).ok()?;
            Some((serde_json::from_slice(&fs::read(&path).ok()?).ok()?, finished))
        })
        .collect()
}

fn header(file: &File) -> [u8; 64] {
    let mut bytes = [0; 64];
    file.read_exact_at(&mut bytes, 0).unwrap();
    bytes
}

fn claims(allocator: &Allocator) -> Claims {
    let (mut live, mut any) = (BTreeSet::new(), BTreeSet::new());
    let records = records(allocator);
    let now = portalloc::registry::Timestamp::now();
    let lives = |record: &Record, finished: bool| {
        finished
            && record.lifetime == Lifetime::Kept
            && record.expires_at.is_none_or(|at| at > now)
            && runs(record.owner) == Some(true)
    };
    let file = File::open(&place().ports).unwrap();
    for port in POOL {
        let mut bytes = [0; 64];
        let damaged = file.read_exact_at(&mut bytes, u64::from(port) * 64).is_err();
        let slot = if damaged { SlotText::Damaged } else { read_slot(&bytes) };
        if records.iter().any(|(record, _)| record.ports.ports.contains(&port)) {
            any.insert(port);
        }
        match slot {
            SlotText::Damaged => {
                let demanded = |(record, finished): &(Record, bool)| {
                    record.ports.ports.contains(&port) && lives(record, *finished)
                };
                live.extend(records.iter().any(demanded).then_some(port));
            }
            SlotText::Kept { common: Common { id: Some(id), .. }, expires_ms, owner } => {
                // Any file under its name counts, whatever is in it: another user's cannot be read.
                let finished = fs::symlink_metadata(place().record(&id.to_string())).is_ok();
                if finished && expires_ms.is_none_or(|at| at > now.unix_ms()) {
                    match runs(owner) {
                        Some(true) => drop(live.insert(port)),
                        Some(false) => {}
                        None => drop(any.insert(port)),
                    }
                }
            }
            _ => {}
        }
    }
    any.extend(&live);
    Claims { live, any }
}

struct Session {
    allocator: Allocator,
    leases: Vec<Lease>,
}

impl Session {
    fn held(&self) -> BTreeSet<u16> {
        self.leases.iter().flat_map(|lease| lease.ports().to_vec()).collect()
    }

    /// Takes a lease, or says why there is none; what is given out is nobody's.
    fn take(&mut self, request: LeaseRequest) -> Result<(), Error> {
        let (claims, held) = (claims(&self.allocator), self.held());
        let lease = self.allocator.lease(request)?;
        for port in lease.ports() {
            assert!(!held.contains(port), "port {port} was given out twice");
            assert!(!claims.live.contains(port), "port {port} of a live environment was given out");
        }
        self.leases.push(lease);
        Ok(())
    }

    fn step(&mut self, step: Step) {
        let within = |number: u8| POOL.start() + u16::from(number) % 16;
        let refused = |error: Error| {
            fair(&error);
            assert!(matches!(error.code(), ErrorCode::PoolExhausted | ErrorCode::PortInUse), "{step:?}: {error:?}");
        };
        let named = |number: u8| id(number % IDS).parse().unwrap();
        match step {
            Step::Run(count) => self.take(LeaseRequest::run(usize::from(count) % 6 + 1)).unwrap_or_else(refused),
            Step::Scattered(count) => {
                self.take(LeaseRequest::scattered(usize::from(count) % 6 + 1)).unwrap_or_else(refused);
            }
            Step::Offsets(a, b) => {
                let (a, b) = (u16::from(a) % 4 + 1, u16::from(b) % 4 + 5);
                self.take(LeaseRequest::offsets([0, a, b])).unwrap_or_else(refused);
            }
            Step::These(a, b) if within(a) == within(b) => {
                self.take(LeaseRequest::exact([within(a)])).unwrap_or_else(refused);
            }
            Step::These(a, b) => self.take(LeaseRequest::exact([within(a), within(b)])).unwrap_or_else(refused),
            Step::Sticky(key) => self.take(LeaseRequest::run(2).sticky(key.to_string())).unwrap_or_else(refused),
            Step::Release(which) if !self.leases.is_empty() => {
                drop(self.leases.swap_remove(usize::from(which) % self.leases.len()));
            }
            Step::Release(_) => {}
            Step::Census => {
                let map = self.allocator.pool_map().unwrap();
                let (claims, mut held) = (claims(&self.allocator), self.held());
                held.retain(|port| POOL.contains(port));
                assert_eq!(map.ports(PortClass::Held).ports().collect::<BTreeSet<_>>(), held);
                let kept: BTreeSet<u16> = map.ports(PortClass::Kept).ports().collect();
                assert!(claims.live.difference(&held).all(|port| kept.contains(port)), "{map:?} {:?}", claims.live);
                assert!(kept.is_subset(&claims.any), "{map:?} {:?}", claims.any);
                assert_eq!(self.allocator.census().unwrap(), map.census());
            }
            Step::List => {
                let listing = self.allocator.list().unwrap();
                let listed: BTreeSet<u16> = listing.leases.iter().flat_map(|lease| lease.ports.clone()).collect();
                assert_eq!(listed, self.held());
            }
            Step::Reconcile => {
                let before = claims(&self.allocator).live;
                self.allocator.reconcile().unwrap();
                let after = claims(&self.allocator).live;
                assert!(before.is_subset(&after), "{before:?} became {after:?}");
            }
            Step::Validate(number) => drop(self.allocator.validate(named(number)).map_err(|error| fair(&error))),
            Step::Attach(number) => drop(self.allocator.attach(named(number)).map_err(|error| fair(&error))),
            Step::Check(number) => {
                let free = self.allocator.is_free(within(number)).unwrap();
                let taken =
                    self.held().contains(&within(number)) || claims(&self.allocator).live.contains(&within(number));
                assert!(!(free && taken));
            }
            Step::CleanupId(number) => {
                let held = self.held();
                let cleaned = self.allocator.cleanup(&Cleanup::new(Selection::Id(named(number))));
                drop(cleaned.map_err(|error| fair(&error)));
                assert_eq!(self.held(), held);
            }
            Step::CleanupStale => {
                let before = claims(&self.allocator).live;
                self.allocator.cleanup(&Cleanup::new(Selection::Stale)).unwrap();
                let after = claims(&self.allocator).live;
                // Two live environments may claim one port only by hand; one of them is stale then.
                assert!(before.is_subset(&after) || overlapping(&self.allocator), "{before:?} became {after:?}");
            }
            Step::Reopen => self.allocator = allocator(),
        }
    }
}

/// Whether two records claim one port.
fn overlapping(allocator: &Allocator) -> bool {
    let ports: Vec<u16> = records(allocator).iter().flat_map(|(record, _)| record.ports.ports.clone()).collect();
    ports.iter().collect::<BTreeSet<_>>().len() < ports.len()
}

fuzz_target!(|input: Input<'_>| {
    prepare(&input);
    // A header that was cut off with the rest of the file is made anew, also if labels have been written behind it since.
    let (header_given, length) = (input.header.bytes(), fs::metadata(&place().ports).unwrap().len());
    let is_cut = length < 64 || header_given == [0; 64] && length != FILE_SIZE;
    let verdict = if is_cut { Verdict::Usable } else { verdict(&header_given) };
    let allocator = match open() {
        Ok(allocator) => {
            assert_ne!(verdict, Verdict::Unusable, "{:?} was used", input.header);
            allocator
        }
        Err(error) => {
            fair(&error);
            assert_eq!((verdict, error.code()), (Verdict::Unusable, ErrorCode::RegistryUnusable), "{error:?}");
            return;
        }
    };
    if verdict == Verdict::OfAnother {
        // What is claimed in the other one is nobody's business here.
        assert_eq!(allocator.lease(POOL.len()).unwrap().ports().len(), POOL.len());
        assert_eq!(File::open(&place().ports).map(|file| header(&file)).unwrap(), input.header.bytes());
        return;
    }
    let mut session = Session { allocator, leases: Vec::new() };
    for step in input.steps.iter().take(8) {
        session.step(*step);
    }
    // Until nothing is left: then everything that nobody claims was found.
    let error = loop {
        if let Err(error) = session.take(LeaseRequest::run(1)) {
            break error;
        }
    };
    fair(&error);
    assert_eq!(error.code(), ErrorCode::PoolExhausted, "{error:?}");
    let (claims, held) = (claims(&session.allocator), session.held());
    let missed: Vec<u16> = POOL.filter(|port| !held.contains(port) && !claims.any.contains(port)).collect();
    assert_eq!(missed, [0; 0], "free ports were not found: {error}");
    let census = error.census().expect("the error counts");
    let held = held.intersection(&POOL.collect()).count();
    assert_eq!((census.held, census.free, census.foreign), (held, 0, 0), "{error}");
    session.leases.clear();
    let report = session.allocator.cleanup(&Cleanup::new(Selection::All)).unwrap();
    assert!(report.skipped.is_empty(), "{:?}", report.skipped);
    assert_eq!(session.allocator.lease(POOL.len()).unwrap().ports().len(), POOL.len());
});
