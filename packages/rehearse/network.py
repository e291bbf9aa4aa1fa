"""Namespaces of its own for the whole rehearsal: a network with nothing but a loopback, mounts, and processes.

Whatever happens to the rehearsal, the kernel takes all three away with it: registries, strangers, and mounts.
"""

from __future__ import annotations

import errno
import os
import socket
import subprocess
import sys
import time
from typing import IO, Any, NoReturn

# Set inside: the descriptor of the network from which the rehearsal was started.
OUTSIDE = "PORTALLOC_REHEARSAL_OUTSIDE"
# Addresses of public name servers, which answer from everywhere that has a network.
PUBLIC = ((socket.AF_INET, "1.1.1.1"), (socket.AF_INET, "8.8.8.8"), (socket.AF_INET6, "2606:4700:4700::1111"))


def is_inside() -> bool:
    return OUTSIDE in os.environ


def outside(words: list[str], **options: Any) -> subprocess.Popen[Any]:
    """Starts a process in the network from which the rehearsal was started. It ends with the rehearsal all the same."""
    if not is_inside():
        return subprocess.Popen(words, **options)
    network = int(os.environ[OUTSIDE])
    return subprocess.Popen(["nsenter", f"--net=/proc/self/fd/{network}", *words], pass_fds=[network], **options)


def enter(arguments: list[str], lock: IO[str]) -> NoReturn:
    """Starts this program again, inside; `lock` stays open until that has ended."""
    if os.geteuid() != 0:
        sys.exit("the rehearsal needs root, for chroot and namespaces; `make rehearse-short` does not")
    os.set_inheritable(lock.fileno(), True)
    network = os.open("/proc/self/ns/net", os.O_RDONLY)
    os.set_inheritable(network, True)
    os.environ[OUTSIDE] = str(network)
    words = ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
    # A new network's loopback is down.
    loopback = ["sh", "-c", 'ip link set lo up && exec "$@"', "sh"]
    os.execvp("unshare", [*words, *loopback, sys.executable, "-m", "packages.rehearse", *arguments])


def reaches_nothing() -> str | None:
    """What is wrong with the isolation, if anything: a public address must be refused at once, not after a timeout."""
    for family, address in PUBLIC:
        began = time.monotonic()
        with socket.socket(family, socket.SOCK_STREAM) as client:
            client.settimeout(5)
            number = client.connect_ex((address, 443))
        seconds = time.monotonic() - began
        if number not in (errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EADDRNOTAVAIL) or seconds > 1:
            return f"connecting to {address} ended after {seconds:.1f} s with {errno.errorcode.get(number, number)}"
    interfaces = [name for _, name in socket.if_nameindex()]
    return None if interfaces == ["lo"] else f"the network has the interfaces {interfaces}"
