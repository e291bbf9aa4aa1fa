//! Other programs that give out ports of this machine, and know nothing of leases.

use std::collections::BTreeSet;

use super::report::Check;
use crate::pool::{Pool, PortRange, PortSet};
use crate::sys;

/// An allocator that runs here.
struct Neighbour {
    name: &'static str,
    /// The ports that it gives out by default; `None` if they cannot be known from here.
    ports: Option<(u16, u16)>,
    /// Completes "Nomad's client gives out 20000-32000".
    remedy: &'static str,
}

const NOMAD: Neighbour = Neighbour {
    name: "Nomad's client",
    ports: Some((20000, 32000)),
    remedy: "exclude what Nomad gives out (PORTALLOC_EXCLUDE), or change client.min_dynamic_port and max_dynamic_port",
};
const KUBERNETES: Neighbour = Neighbour {
    name: "Kubernetes (NodePort services)",
    ports: Some((30000, 32767)),
    remedy: "exclude the cluster's service-node-port-range (PORTALLOC_EXCLUDE)",
};
const AIRPLAY: [Neighbour; 2] = [
    Neighbour { name: "macOS's AirPlay receiver", ports: Some((5000, 5000)), remedy: AIRPLAY_REMEDY },
    Neighbour { name: "macOS's AirPlay receiver", ports: Some((7000, 7000)), remedy: AIRPLAY_REMEDY },
];
const AIRPLAY_REMEDY: &str = "exclude 5000 and 7000, or switch the AirPlay receiver off";
const WINDOWS: Neighbour = Neighbour {
    name: "the Windows host of WSL 2",
    ports: None,
    remedy: "look at `netsh interface ipv4 show excludedportrange protocol=tcp` on Windows, and exclude what overlaps \
             (PORTALLOC_EXCLUDE): Hyper-V reserves ranges that Linux cannot see",
};

/// Whether another allocator gives out ports of the pool.
pub(super) fn other_allocators(pool: Option<&Pool>) -> Check {
    let Some(pool) = pool else { return Check::skipped("other_allocators", "pool") };
    judge(pool.ports(), &sys::process_names(), &sys::kernel_release(), std::env::consts::OS)
}

fn judge(pool: &PortSet, processes: &BTreeSet<String>, kernel: &str, system: &str) -> Check {
    const CODE: &str = "other_allocators";
    let mut running: Vec<&Neighbour> = Vec::new();
    if processes.contains("nomad") {
        running.push(&NOMAD);
    }
    // Distributions of one binary name the process after themselves.
    if ["kubelet", "k3s-server", "k3s-agent", "k0s"].iter().any(|name| processes.contains(*name)) {
        running.push(&KUBERNETES);
    }
    if system == "macos" {
        running.extend(&AIRPLAY);
    }
    if kernel.to_lowercase().contains("microsoft") {
        running.push(&WINDOWS);
    }
    let overlaps: Vec<(&Neighbour, String)> = running
        .into_iter()
        .filter_map(|neighbour| {
            let Some((first, last)) = neighbour.ports else {
                return Some((neighbour, format!("{} may reserve ports of the pool", neighbour.name)));
            };
            let theirs: PortSet = PortRange::new(first, last).into_iter().collect();
            let both = pool.intersection(&theirs).count();
            let message =
                format!("{} gives out {theirs} by default, {both} ports of which are in the pool", neighbour.name);
            (both > 0).then_some((neighbour, message))
        })
        .collect();
    if overlaps.is_empty() {
        return Check::ok(CODE, "none is known to give out ports of the pool");
    }
    let text = |part: fn(&(&Neighbour, String)) -> String| overlaps.iter().map(part).collect::<Vec<_>>().join("; ");
    Check::note(CODE, text(|(_, message)| message.clone())).remedy(text(|(neighbour, _)| neighbour.remedy.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::super::Status;
    use super::*;

    fn on(pool: &str, processes: &[&str], kernel: &str, system: &str) -> Check {
        let processes = processes.iter().map(ToString::to_string).collect();
        judge(&PortSet::parse(pool).unwrap(), &processes, kernel, system)
    }

    #[test]
    fn an_allocator_is_noted_only_if_it_runs_and_overlaps() {
        assert_eq!(on("20000-29999", &["bash", "nomade"], "6.8.0", "linux").status, Status::Ok);
        assert_eq!(on("10000-19999", &["nomad", "kubelet"], "6.8.0", "linux").status, Status::Ok);
        let both = on("29999-30000", &["nomad", "kubelet"], "6.8.0", "linux");
        assert_eq!(both.status, Status::Note);
        assert!(both.message.contains("20000-32000 by default, 2 ports"), "{}", both.message);
        assert!(both.message.contains("30000-32767 by default, 1 ports"), "{}", both.message);
        assert!(on("30000", &["k3s-server"], "6.8.0", "linux").message.contains("Kubernetes"));
    }

    #[test]
    fn systems_with_reservations_of_their_own_are_told_by_kernel_and_system() {
        let windows = on("20000-29999", &[], "5.15.153.1-microsoft-standard-WSL2", "linux");
        assert!(windows.remedy.unwrap().contains("excludedportrange"));
        assert!(on("5000-5010", &[], "24.1.0", "macos").message.contains("AirPlay"));
        assert_eq!(on("20000-29999", &[], "24.1.0", "macos").status, Status::Ok);
    }
}
