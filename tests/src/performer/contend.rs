//! `contend COUNT journal PATH [times N] [wait MS] [most N] [seed N] [shape SHAPE] [pause MS]`: takes leases, binds their
//! ports for real, notes what it holds, and gives back in random order. COUNT `mixed` is a random one each time. SHAPE is
//! `scattered`, or offsets such as `0,2,9`; else it is a run. With a pause it gives back at once, and does nothing for a
//! random part of that time.

use std::time::Duration;

use portalloc::{Lease, LeaseRequest, Result};
use portalloc_testkit::Random;
use rustix::event::{Timespec, poll};
use serde_json::{Value, json};

use super::{Performer, listen};
use crate::Journal;
use crate::options::Options;

pub(super) fn contend(performer: &mut Performer, options: Options<'_>) -> Result<Value> {
    let path: String = options.get("journal").expect("a journal");
    let times = options.get("times").unwrap_or(1);
    let most = options.get("most").unwrap_or(1);
    let shape: Option<String> = options.get("shape");
    let mut random = Random::new(options.get("seed").unwrap_or(0) + u64::from(std::process::id()));
    let mut journal = Journal::open(path.as_ref(), std::process::id());
    let allocator = performer.allocator()?.clone();
    let (mut held, mut refused, mut taken) = (Vec::new(), 0, 0);
    while taken < times {
        if held.len() == most {
            give_one(&mut held, &mut journal, &mut random);
        }
        let count = if options.has("mixed") { 1 + random.below(8) } else { options.first() };
        let mut request = match shape.as_deref() {
            None => LeaseRequest::run(count),
            Some("scattered") => LeaseRequest::scattered(count),
            Some(offsets) => LeaseRequest::offsets(offsets.split(',').filter_map(|offset| offset.parse().ok())),
        };
        // Whoever holds something must not wait for others that may be waiting for it.
        if let Some(limit) = options.time("wait").filter(|_| held.is_empty()) {
            request = request.wait(limit);
        }
        match allocator.lease(request) {
            Ok(lease) => {
                pieces(lease.ports()).for_each(|piece| journal.took(piece));
                held.push((listen(lease.ports()), lease));
                taken += 1;
                if let Some(longest) = options.time("pause") {
                    give_one(&mut held, &mut journal, &mut random);
                    rest(&longest, &mut random);
                }
            }
            Err(error) if error.code() == portalloc::ErrorCode::PoolExhausted && !held.is_empty() => {
                refused += 1;
                give_one(&mut held, &mut journal, &mut random);
            }
            Err(error) => return Err(error),
        }
    }
    while !held.is_empty() {
        give_one(&mut held, &mut journal, &mut random);
    }
    Ok(json!({"taken": taken, "refused": refused}))
}

/// Does nothing, as a program does that has no need of ports for a while.
fn rest(longest: &Duration, random: &mut Random) {
    let microseconds = random.below(usize::try_from(longest.as_micros()).expect("a short time") + 1);
    let time = Timespec { tv_sec: 0, tv_nsec: i64::try_from(microseconds).expect("a short time") * 1000 };
    poll(&mut [], Some(&time)).expect("a pause");
}

/// Sockets first: from the release on, others may be given the ports.
fn give_one(held: &mut Vec<(Vec<std::net::TcpListener>, Lease)>, journal: &mut Journal, random: &mut Random) {
    let (sockets, lease) = held.swap_remove(random.below(held.len()));
    drop(sockets);
    pieces(lease.ports()).for_each(|piece| journal.gave(piece));
    if random.below(2) == 0 {
        lease.release();
    }
}

/// Runs, as the journal knows them.
fn pieces(ports: &[u16]) -> impl Iterator<Item = &[u16]> {
    ports.chunk_by(|one, next| one.checked_add(1) == Some(*next))
}
