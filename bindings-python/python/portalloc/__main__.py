"""The command ``portalloc`` and ``python -m portalloc``: the same command line as the binary's.

Only prepares the process for it; what the commands do is in the native module.
"""

from __future__ import annotations

import signal
import sys

from ._portalloc import run_command_line


def main() -> int:
    """Runs the command line with this process's arguments and returns its exit status."""
    # Python only notes an interrupt, and would raise it once the command is done.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    return run_command_line(["portalloc", *sys.argv[1:]])


if __name__ == "__main__":
    sys.exit(main())
