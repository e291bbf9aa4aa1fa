"""What the command line's contender runs: holds the ports of the environment that it was started in."""

from __future__ import annotations

import os
import socket
import sys

journal = os.open(sys.argv[1], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
base, count = int(os.environ["PORT_BASE"]), int(os.environ["PORT_COUNT"])
servers = [socket.create_server(("127.0.0.1", port)) for port in range(base, base + count)]
os.write(journal, f"took {os.getpid()} {base} {count}\n".encode())
for server in servers:
    server.close()
os.write(journal, f"gave {os.getpid()} {base} {count}\n".encode())
