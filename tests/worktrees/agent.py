"""A program that starts a server, calls `portalloc stop`, and has a port of the environment itself."""

import os
import signal
import socket
import subprocess

own = socket.create_server(("127.0.0.1", int(os.environ["API_PORT"])))
subprocess.Popen(["python3", "-m", "http.server", "--bind", "127.0.0.1", os.environ["WEB_PORT"]])
subprocess.run(["portalloc", "wait", "--mine", "web"], check=True)
stopped = subprocess.run(["portalloc", "stop"], capture_output=True, text=True)
print(stopped.stdout, stopped.stderr, f"ended with {stopped.returncode}", sep="\n", flush=True)
signal.pause()
