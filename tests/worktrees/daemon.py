"""daemon.py PORT: a server that leaves its parent, its session, its folder and all descriptors, as daemons once did."""

import http.server
import os
import sys

for _ in range(2):
    if os.fork():
        os._exit(0)
    os.setsid()
os.chdir("/")
os.closerange(0, 4096)
for _ in range(3):
    os.open(os.devnull, os.O_RDWR)
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), http.server.SimpleHTTPRequestHandler).serve_forever()
