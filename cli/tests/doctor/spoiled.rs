//! The spoiled machines.

use std::collections::BTreeSet;

use portalloc_testkit::CommandLine;

use crate::PORTALLOC;
use crate::machine::{Machine, SOUND};

/// A machine, and the test that examines it.
macro_rules! machines {
    ($($name:ident: { $($field:ident: $value:expr,)* })*) => {
        $(
            #[test]
            fn $name() {
                Machine { $($field: $value,)* ..SOUND }.check();
            }
        )*

        /// The lines that turn on some machine.
        const TURNING: &[&str] = &[$(Machine { $($field: $value,)* ..SOUND }.turns.0),*];
    };
}

/// A whole machine whose registry nobody names, set up by root. What a test needs of the real /tmp is taken along.
const SET_UP: &str = "
    mount -t tmpfs -o mode=755 tmpfs /mnt; mkdir /mnt/scratch; mount --bind \"$1\" /mnt/scratch; cp \"$2\" /mnt/portalloc
    mount -t tmpfs -o mode=755 tmpfs /etc; mount -t tmpfs -o mode=755 tmpfs /run; mount -t tmpfs -o mode=1777 tmpfs /tmp
    cd /mnt/scratch/work; export TMPDIR=/mnt/scratch/temp; unset PORTALLOC_DIR; P=/mnt/portalloc; set -- /mnt/scratch
    \"$P\" setup > /dev/null";

const USER: &str = "setpriv --reuid 1000 --regid 1000 --clear-groups";

machines! {
    a_registry_that_anyone_can_empty: {
        spoil: "chmod 777 \"$PORTALLOC_DIR\"",
        turns: ("registry", "broken"),
        says: "without the sticky bit",
        skips: &["registry_space", "locks"],
    }
    a_registry_of_another_user: {
        spoil: "chown 1000 \"$PORTALLOC_DIR\"; chmod 755 \"$PORTALLOC_DIR\"",
        turns: ("registry", "broken"),
        says: "belongs to user 1000",
        skips: &["registry_space", "locks"],
    }
    a_registry_that_is_read_only: {
        spoil: "mount --bind \"$PORTALLOC_DIR\" \"$PORTALLOC_DIR\"; mount -o remount,ro,bind \"$PORTALLOC_DIR\"",
        turns: ("registry", "broken"),
        says: "PORTALLOC_DIR",
        skips: &["registry_space", "locks"],
        follow: &["registry_mount"],
    }
    a_machine_without_setup: {
        make: SET_UP,
        spoil: "\"$P\" setup --remove > /dev/null",
        turns: ("setup", "note"),
        says: "sudo portalloc setup",
        follow: &["registry", "registry_mount"],
    }
    a_setup_that_ends_with_the_next_boot: {
        make: SET_UP,
        spoil: "rm /etc/tmpfiles.d/portalloc.conf",
        turns: ("setup", "note"),
        says: "next boot",
    }
    an_empty_dir_of_kubernetes_in_place_of_a_setup: {
        make: SET_UP,
        spoil: "chmod 777 /run/portalloc",
        turns: ("setup", "note"),
        says: "not a directory of root that all users share",
        follow: &["registry", "registry_mount"],
    }
    a_service_with_a_private_temp_directory: {
        make: SET_UP,
        spoil: "
            rm -r /run/portalloc; \"$P\" list > /dev/null; D=/mnt/systemd-private-1f-web.service-x/tmp
            mkdir -p $D; chmod 1777 $D; mount --bind $D /tmp; mkdir -m 1777 $D/run; mkdir -m 1777 $D/run/portalloc
            mount --bind $D/run /run",
        turns: ("registry_mount", "note"),
        says: "only one service or snap sees",
    }
    a_snap: {
        make: SET_UP,
        within: "env SNAP=/snap/tool/1",
        turns: ("registry_mount", "note"),
        says: "inside snap",
    }
    a_registry_that_a_logout_empties: {
        make: "mount -t tmpfs -o mode=1777 tmpfs /dev/shm",
        within: "env PORTALLOC_DIR=/dev/shm/portalloc",
        turns: ("registry_mount", "note"),
        says: "RemoveIPC",
        follow: &["registry"],
    }
    a_full_disk_under_the_registry: {
        make: "mkdir \"$PORTALLOC_DIR\"; mount -t tmpfs -o size=64k,mode=1777 tmpfs \"$PORTALLOC_DIR\"",
        spoil: "dd if=/dev/zero of=\"$PORTALLOC_DIR/filler\" bs=1k count=100 2> /dev/null || true",
        turns: ("registry_space", "broken"),
        says: "No space left",
    }
    a_registry_without_free_inodes: {
        make: "mkdir \"$PORTALLOC_DIR\"; mount -t tmpfs -o nr_inodes=16,mode=1777 tmpfs \"$PORTALLOC_DIR\"",
        spoil: "for name in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16; do touch \"$PORTALLOC_DIR/$name\" 2> /dev/null || true; done",
        turns: ("registry_space", "broken"),
        says: "No space left",
    }
    a_program_that_locks_the_whole_file: {
        spoil: "
            mkfifo \"$1/locked\"
            python3 -c 'if True:
                import fcntl, glob, os, signal, sys
                file = open(glob.glob(os.environ[\"PORTALLOC_DIR\"] + \"/net-*/ports\")[0], \"r+b\")
                fcntl.lockf(file, fcntl.LOCK_EX)
                open(sys.argv[1], \"w\").close()
                signal.pause()' \"$1/locked\" &
            read line < \"$1/locked\" || true",
        turns: ("locks", "broken"),
        says: "lslocks",
    }
    a_temp_directory_that_does_not_exist: {
        within: "env TMPDIR=\"$1/nowhere\"",
        turns: ("temp_dir", "broken"),
        says: "does not exist",
    }
    a_temp_directory_that_is_a_file: {
        spoil: ": > \"$1/file\"",
        within: "env TMPDIR=\"$1/file\"",
        turns: ("temp_dir", "broken"),
        says: "is not a directory",
    }
    a_full_temp_directory: {
        make: "mount -t tmpfs -o size=64k,mode=1777 tmpfs \"$TMPDIR\"",
        spoil: "dd if=/dev/zero of=\"$TMPDIR/filler\" bs=1k count=100 2> /dev/null || true",
        turns: ("temp_dir", "broken"),
        says: "No space left",
    }
    a_temp_directory_of_somebody_else: {
        make: "\"$P\" list > /dev/null",
        who: USER,
        spoil: "chmod 755 \"$TMPDIR\"",
        turns: ("temp_dir", "broken"),
        says: "Permission denied",
    }
    a_broken_project_file: {
        spoil: "echo 'pool = ' > portalloc.toml",
        turns: ("project", "broken"),
        says: "portalloc.toml:1",
    }
    a_pool_that_is_none: {
        within: "env PORTALLOC_POOL=web",
        turns: ("pool", "broken"),
        says: "not a port or a range of ports",
        skips: &["ephemeral_range", "reserved_ports", "low_ports", "other_allocators"],
    }
    exclusions_that_leave_nothing: {
        within: "env PORTALLOC_EXCLUDE=1-65535",
        turns: ("pool", "broken"),
        says: "has no port left",
        skips: &["ephemeral_range", "reserved_ports", "low_ports", "other_allocators"],
    }
    an_ephemeral_range_over_the_pool: {
        namespaces: "n",
        make: "ip link set lo up",
        spoil: "echo 1024 65535 > /proc/sys/net/ipv4/ip_local_port_range",
        turns: ("ephemeral_range", "broken"),
        says: "outside of 1024-65535",
    }
    an_ephemeral_range_over_every_default_pool: {
        namespaces: "n",
        make: "ip link set lo up; unset PORTALLOC_POOL",
        spoil: "echo 1024 65535 > /proc/sys/net/ipv4/ip_local_port_range",
        turns: ("ephemeral_range", "broken"),
        says: "outside of 1024-65535",
    }
    ports_that_an_administrator_has_reserved: {
        namespaces: "n",
        make: "ip link set lo up",
        spoil: "echo ${PORTALLOC_POOL%-*} > /proc/sys/net/ipv4/ip_local_reserved_ports",
        turns: ("reserved_ports", "note"),
        says: "never leased",
        follow: &["pool"],
    }
    a_user_who_may_not_bind_the_pool: {
        namespaces: "n",
        make: "ip link set lo up; \"$P\" list > /dev/null",
        who: USER,
        spoil: "echo 30000 > /proc/sys/net/ipv4/ip_unprivileged_port_start",
        turns: ("low_ports", "broken"),
        says: "only ports from 30000 on",
    }
    nomad: {
        namespaces: "n",
        make: "ip link set lo up; export PORTALLOC_POOL=24100-24150",
        spoil: "cp \"$(command -v sleep)\" \"$1/nomad\"; \"$1/nomad\" 600 & until grep -q nomad /proc/$!/comm; do :; done",
        turns: ("other_allocators", "note"),
        says: "Nomad's client gives out 20000-32000",
    }
    kubernetes: {
        namespaces: "n",
        make: "ip link set lo up; export PORTALLOC_POOL=30100-30150",
        spoil: "cp \"$(command -v sleep)\" \"$1/kubelet\"; \"$1/kubelet\" 600 & until grep -q kubelet /proc/$!/comm; do :; done",
        turns: ("other_allocators", "note"),
        says: "service-node-port-range",
    }
    no_loopback: {
        namespaces: "n",
        make: "ip link set lo up",
        spoil: "ip link set lo down",
        turns: ("loopback", "note"),
        says: "ip link set lo up",
    }
    no_ipv6: {
        namespaces: "n",
        make: "ip link set lo up",
        spoil: "echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6",
        turns: ("ipv6", "note"),
        says: "has no IPv6",
    }
    a_network_namespace_of_its_own: {
        within: "unshare -n sh -euc 'ip link set lo up; exec \"$@\"' sh",
        turns: ("network_namespace", "note"),
        says: "not that of process 1",
    }
    the_process_list_of_another_pid_namespace: {
        within: "unshare -p --fork --kill-child",
        turns: ("pid_namespace", "note"),
        says: "unshare --mount-proc",
    }
    a_user_namespace: {
        within: "unshare -r",
        turns: ("user_namespace", "note"),
        says: "seem to belong to nobody",
    }
    no_process_list: {
        spoil: "mount -t tmpfs tmpfs /proc",
        turns: ("proc", "broken"),
        says: "mount -t proc",
        skips: &[
            "registry", "registry_mount", "registry_space", "locks", "network_namespace", "pid_namespace", "user_namespace",
        ],
    }
    a_process_list_without_settings: {
        spoil: "mount -t proc -o subset=pid proc /proc",
        turns: ("proc", "note"),
        says: "subset=pid",
    }
    a_process_list_without_other_users: {
        make: "\"$P\" list > /dev/null",
        who: USER,
        spoil: "mount -o remount,hidepid=2 /proc",
        turns: ("proc", "note"),
        says: "hidepid",
    }
    a_low_limit_on_descriptors: {
        spoil: "ulimit -n 100",
        turns: ("descriptors", "note"),
        says: "100 descriptors",
    }
    a_limit_on_descriptors_that_is_too_low: {
        spoil: "ulimit -n 16",
        turns: ("descriptors", "broken"),
        says: "16 descriptors",
    }
    a_limit_on_the_size_of_files: {
        spoil: "ulimit -f 1000",
        turns: ("file_size", "broken"),
        says: "ulimit -f",
        skips: &["registry", "registry_space", "locks"],
    }
    no_inotify: {
        namespaces: "r",
        spoil: "echo 0 > /proc/sys/user/max_inotify_instances",
        turns: ("watch", "note"),
        says: "fs.inotify.max_user_instances",
    }
}

#[test]
fn every_line_turns_on_some_machine() {
    // The probe of this kernel sees everything; a unit test beside it has one that does not.
    let turning: BTreeSet<&str> = TURNING.iter().copied().chain(["probe"]).collect();
    let world = CommandLine::new(PORTALLOC);
    let report: serde_json::Value = serde_json::from_str(&world.run(["doctor", "--json"]).stdout).unwrap();
    let lines: BTreeSet<&str> =
        report["checks"].as_array().unwrap().iter().map(|check| check["code"].as_str().unwrap()).collect();
    assert_eq!(lines, turning);
}
