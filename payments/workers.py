"""Whether this worker was asked to stop, known at once in all of its processes.

SIGTERM reaches the main process of a worker. What that says here its children read, because forked
processes share this memory. Where children are not forked, each of them is a worker of its own: it
is not told, and ends with the time its tasks take.
"""

import ctypes
import mmap
import os
import signal
import time

# What is still being done so long after SIGTERM is interrupted; supervisors kill after 25 s.
LAST_CALL_SECONDS = 14

MAIN_PID = os.getpid()  # of the process that loaded the tasks, before it forked
_asked_at = ctypes.c_double.from_buffer(mmap.mmap(-1, mmap.PAGESIZE))
_interrupted_pid = 0


def ask_to_stop() -> None:
    """No process of this worker takes another batch. Takes no lock: signal handlers call it."""
    if not _asked_at.value:
        _asked_at.value = time.monotonic()


def is_stopping() -> bool:
    return _asked_at.value > 0


def interrupt_if_late() -> None:
    """A forked process that still works after the last call gives its rows back, once.

    It raises SoftTimeLimitExceeded in the main thread of the process, as Celery does by SIGUSR1.
    """
    global _interrupted_pid
    pid = os.getpid()
    is_late = is_stopping() and time.monotonic() - _asked_at.value > LAST_CALL_SECONDS
    if is_late and pid not in (MAIN_PID, _interrupted_pid):
        _interrupted_pid = pid
        os.kill(pid, signal.SIGUSR1)
