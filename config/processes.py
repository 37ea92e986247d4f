"""The three processes of the platform, said once for `manage.py run`, the demo and containers.

`python -m config.processes web|worker|beat` becomes that process.
"""

import os
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

from config.embedded import data_dir
from config.supervisor import Process
from payments.process_metrics import FOLDER_VARIABLE

DEFAULT_PORT = 8000
WEB_THREADS = 8  # of each web process, each with a connection to PostgreSQL
GRANIAN_LOGS = Path(__file__).with_name("granian_logs.json")


def web(port: int) -> Process:
    """HTTP on `BIND_ADDRESS` (this machine only, unless a container opens it)."""
    address = os.environ.get("BIND_ADDRESS") or "127.0.0.1"
    workers = os.environ.get("WEB_CONCURRENCY") or "2"
    granian = [sys.executable, "-m", "granian", "--interface", "wsgi", "config.wsgi:application"]
    concurrency = ["--workers", workers, "--respawn-failed-workers"]
    # Payments that arrive while one is written are written together: threads that wait pay off.
    concurrency += ["--blocking-threads", str(WEB_THREADS)]
    options = ["--host", address, "--port", str(port), "--no-ws", "--workers-kill-timeout", "20"]
    logs = ["--log-config", str(GRANIAN_LOGS)]
    return Process("web", [*granian, *concurrency, *options, *logs], counted_together())


def worker() -> Process:
    """Works off the queue, without the talk between workers that none of ours listens to."""
    concurrency = os.environ.get("WORKER_CONCURRENCY") or "2"
    options = ["-l", "INFO", "-c", concurrency, "--without-gossip", "--without-mingle"]
    return Process("worker", [*_celery(), "worker", *options], counted_together())


def beat() -> Process:
    """Rings the timetable. No pid file: a stale one would keep it from starting again."""
    return Process("beat", [*_celery(), "beat", "-l", "INFO", "--pidfile="], counted_together())


def counted_together() -> dict[str, str]:
    """The folder in which the processes of this machine count what /metrics adds up, if any can."""
    temporary = Path(tempfile.gettempdir()) / f"tieout-metrics-{os.getuid()}"
    for folder in (data_dir() / "metrics", temporary):
        with suppress(OSError):
            folder.mkdir(mode=0o700, exist_ok=True)
        if os.access(folder, os.W_OK):
            return {FOLDER_VARIABLE: str(folder)}
    return {}


def port_from_environment() -> int:
    return int(os.environ.get("PORT") or DEFAULT_PORT)


def everything(port: int) -> list[Process]:
    return [web(port), worker(), beat()]


def _celery() -> list[str]:
    return [sys.executable, "-m", "celery", "--quiet", "-A", "config"]


def main(name: str) -> None:
    chosen = next(
        process for process in everything(port_from_environment()) if process.name == name
    )
    os.execve(chosen.argv[0], list(chosen.argv), {**os.environ, **chosen.env})


if __name__ == "__main__":
    main(sys.argv[1])
