"""`celery worker` and `celery beat` as they are in production, on the database of the tests."""

import sys
from pathlib import Path

from django.conf import settings

from tests.support.own_names import broker_url, database_url_of_tests
from tests.support.servers import Child, wait_for

QUIET = ("-l", "INFO", "--without-gossip", "--without-mingle")
# Runs Celery's command line after a first sentence of Python.
AFTER = "import sys, django; django.setup(); {first}; from celery.__main__ import main; main()"


def start_celery(folder: Path, *argv: str, first: str = "pass", **environment: str) -> Child:
    """`celery -A config …`; what it says is in `stdout` and `stderr` of the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    return Child(
        [sys.executable, "-c", AFTER.format(first=first), "-A", "config", *argv],
        folder,
        DATABASE_URL=database_url_of_tests(),
        REDIS_URL=settings.REDIS_URL,
        CELERY_BROKER_URL=broker_url(settings.REDIS_URL),
        **environment,
    )


def start_ready_worker(folder: Path, *options: str, **more: str) -> Child:
    """A worker that has begun to take work."""
    worker = start_celery(folder, "worker", *QUIET, *options, **more)
    wait_for(lambda: " ready." in (folder / "stderr").read_text())
    return worker
