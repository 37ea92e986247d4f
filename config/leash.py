"""Become another program that dies with the process that started it.

Usage: leash.py STARTER_PID PROGRAM ARGUMENT…  A file of its own, so that no application is
imported before the program takes over.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main(starter: int, argv: list[str]) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    # The starter may have died before the kernel was asked.
    if os.getppid() != starter:
        raise SystemExit("The supervisor is gone.")
    os.execvp(argv[0], argv)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
