"""What a Docker engine does to a machine's ports, and nothing else of it: publishes them, in a process of its own.

It makes the engine's system calls: one socket for IPv4 and one for IPv6, each with `SO_REUSEADDR`, bound to every
address, listening. No container, no image, no service behind the port.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import subprocess
import sys


def publish(ports: list[int]) -> int:
    """Returns the process that has the ports, as soon as it has them all. `OSError` if it cannot."""
    process = subprocess.Popen(
        [sys.executable, __file__, *map(str, ports)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    if process.stdout.readline() != b"published\n":
        process.wait()
        raise OSError(f"the engine stub cannot publish {ports}: is one of them already allocated?")
    process.stdout.close()
    process.returncode = 0  # it lives on, like a container; `end` knows it by its ID
    return process.pid


def end(pid: int) -> None:
    """Returns when its ports are no longer bound."""
    gone = os.pidfd_open(pid)
    os.kill(pid, signal.SIGTERM)
    try:
        os.waitid(os.P_PIDFD, gone, os.WEXITED)
    except ChildProcessError:  # another process started it
        select.select([gone], [], [], 60)
    os.close(gone)


def _serve(ports: list[int]) -> None:
    opened: list[socket.socket] = []
    for port in ports:
        for family, host in ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")):
            try:
                one = socket.socket(family)
            except OSError:
                if family is socket.AF_INET6:
                    continue  # a machine without IPv6
                raise
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family is socket.AF_INET6:
                one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            one.bind((host, port))
            one.listen()
            opened.append(one)
    sys.stdout.write("published\n")
    sys.stdout.flush()
    while True:
        signal.pause()


if __name__ == "__main__":
    _serve([int(word) for word in sys.argv[1:]])
