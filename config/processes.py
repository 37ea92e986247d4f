"""The three processes of the platform, said once for `manage.py run`, the demo and containers.

`python -m config.processes web|worker|beat` becomes that process.
"""

import os
import sys

from config.supervisor import Process

DEFAULT_PORT = 8000


def web(port: int) -> Process:
    """HTTP on `BIND_ADDRESS` (this machine only, unless a container opens it)."""
    address = os.environ.get("BIND_ADDRESS") or "127.0.0.1"
    workers = os.environ.get("WEB_CONCURRENCY") or "2"
    granian = [sys.executable, "-m", "granian", "--interface", "wsgi", "config.wsgi:application"]
    concurrency = ["--workers", workers, "--blocking-threads", "4", "--respawn-failed-workers"]
    options = ["--host", address, "--port", str(port), "--no-ws", "--workers-kill-timeout", "20"]
    return Process("web", [*granian, *concurrency, *options])


def worker() -> Process:
    """Works off the queue, without the talk between workers that none of ours listens to."""
    concurrency = os.environ.get("WORKER_CONCURRENCY") or "2"
    options = ["-l", "INFO", "-c", concurrency, "--without-gossip", "--without-mingle"]
    return Process("worker", [*_celery(), "worker", *options])


def beat() -> Process:
    """Rings the timetable. No pid file: a stale one would keep it from starting again."""
    return Process("beat", [*_celery(), "beat", "-l", "INFO", "--pidfile="])


def port_from_environment() -> int:
    return int(os.environ.get("PORT") or DEFAULT_PORT)


def everything(port: int) -> list[Process]:
    return [web(port), worker(), beat()]


def _celery() -> list[str]:
    return [sys.executable, "-m", "celery", "-A", "config"]


def main(name: str) -> None:
    chosen = next(
        process for process in everything(port_from_environment()) if process.name == name
    )
    os.execv(chosen.argv[0], list(chosen.argv))


if __name__ == "__main__":
    main(sys.argv[1])
