//! `portalloc setup`, on a machine of its own: a mount namespace with another /etc, /run and /tmp. What it does to a
//! registry is tested with the core; here it is what the command says.

use portalloc_testkit::{CommandLine, can_unshare, run};

use crate::PORTALLOC;

/// `script`'s output on such a machine, where `$P` is the command. `None` where only root could make one.
fn on_a_machine_of_its_own(script: &str) -> Option<String> {
    if !can_unshare(&["-m"]) {
        return None;
    }
    let world = CommandLine::new(PORTALLOC);
    let mut command = world.program("unshare");
    let machine = "
        mount -t tmpfs -o mode=755 tmpfs /mnt; cp \"$1\" /mnt/portalloc; cd /mnt; P=/mnt/portalloc
        for directory in /etc /run; do mount -t tmpfs -o mode=755 tmpfs $directory; done
        mount -t tmpfs -o mode=1777 tmpfs /tmp; export TMPDIR=/tmp; unset PORTALLOC_DIR";
    command.args(["-m", "sh", "-euc", &format!("{machine}\n{script}"), "sh", PORTALLOC]);
    Some(run(&mut command).succeeded())
}

#[test]
fn removed_at_the_next_boot_it_names_the_registry_until_then() {
    let Some(said) = on_a_machine_of_its_own(
        "\"$P\" setup
        eval \"$(\"$P\" create --no-env-file --shell)\"
        \"$P\" setup --remove --at-next-boot
        test ! -e /etc/tmpfiles.d/portalloc.conf
        \"$P\" validate --id \"$ISOLATION_ID\" > /dev/null
        \"$P\" setup --remove --at-next-boot
        \"$P\" cleanup --id \"$ISOLATION_ID\" > /dev/null
        \"$P\" setup --remove",
    ) else {
        return;
    };
    let until_then = "until the next boot, the registry of this machine is /run/portalloc\n";
    let registry = "the registry of this machine is";
    assert_eq!(said, format!("{registry} /run/portalloc\n{until_then}{until_then}{registry} /tmp/portalloc\n"));
}
