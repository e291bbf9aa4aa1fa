"""`portalloc list --map --watch` on a terminal of its own, which this program looks at from the other side.

Called with the path of portalloc, the interval and how it is to end; writes what it saw as JSON.
"""

import fcntl
import json
import os
import pty
import select
import shutil
import signal
import struct
import subprocess
import sys
import termios
import time

PORTALLOC, INTERVAL, ENDING = sys.argv[1:]
DEADLINE = time.monotonic() + 60

seen = b""
master, slave = pty.openpty()


def resize(rows, columns):
    fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


def until(what, condition):
    global seen
    while not condition():
        left = DEADLINE - time.monotonic()
        if left <= 0:
            child.kill()
            sys.exit(f"waited in vain until {what}; seen: {seen[-3000:]!r}")
        if select.select([master], [], [], left)[0]:
            seen += os.read(master, 1 << 16)


def drawn(times):
    return lambda: seen.count(b"to quit") >= times


resize(40, 100)
before = termios.tcgetattr(slave)
child = subprocess.Popen(
    [PORTALLOC, "list", "--map", f"--watch={INTERVAL}"],
    stdin=slave,
    stdout=slave,
    stderr=slave,
    start_new_session=True,
    preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
)
until("it is drawn", drawn(1))
said = {"raw": not termios.tcgetattr(slave)[3] & (termios.ICANON | termios.ECHO)}

if ENDING == "create and q":
    created = subprocess.run(
        [PORTALLOC, "create", "--json", "--no-env-file"], stdout=subprocess.PIPE, check=True
    )
    said["id"] = json.loads(created.stdout)["isolation_id"]
    until("the environment is shown", lambda: said["id"].encode() in seen)
    os.write(master, b"xq")
elif ENDING == "resize and q":
    resize(40, 60)
    until("it is drawn in the new size", drawn(2))
    resize(3, 60)
    until("it is drawn in few rows", drawn(3))
    os.write(master, b"q")
elif ENDING == "stop and q":
    os.write(master, b"\x1a")
    _, status = os.waitpid(child.pid, os.WUNTRACED)
    said["stopped"] = os.WIFSTOPPED(status)
    said["restored_while_stopped"] = termios.tcgetattr(slave) == before
    until("it has left", lambda: b"\x1b[?1049l" in seen)
    frames = seen.count(b"to quit")
    child.send_signal(signal.SIGCONT)
    until("it is drawn again", drawn(frames + 1))
    said["raw_again"] = not termios.tcgetattr(slave)[3] & termios.ICANON
    os.write(master, b"q")
elif ENDING == "terminate":
    child.send_signal(signal.SIGTERM)
elif ENDING == "interrupt":
    os.write(master, b"\x03")
elif ENDING == "fail":
    # One that is only gone is made again by whoever looks.
    registry = os.environ["PORTALLOC_DIR"]
    while not os.path.isfile(registry):
        shutil.rmtree(registry, ignore_errors=True)
        try:
            open(registry, "x").close()
        except FileExistsError:
            pass

left = 2 if ENDING == "stop and q" else 1
until("it has left", lambda: seen.count(b"\x1b[?1049l") >= left)
said["status"] = child.wait(max(1, DEADLINE - time.monotonic()))
while select.select([master], [], [], 0)[0]:
    seen += os.read(master, 1 << 16)
said["restored"] = termios.tcgetattr(slave) == before
said["seen"] = seen.decode()
json.dump(said, sys.stdout)
