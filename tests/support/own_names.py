"""A database name and a Redis number no other run of the tests uses, nor `make run` (number 0)."""

import fcntl
import os
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import redis
from django.conf import settings

from config import embedded

REDIS_NUMBERS = range(1, 16)
OUR_REDIS_KEYS = ("tieout:*", "idempotency:*", "celery", "_kombu.*", "unacked*")


def take_own_names() -> ExitStack:
    """Make the settings name a test database and a Redis number of our own, until it is closed."""
    lease = ExitStack()
    folder = embedded.data_dir()
    folder.mkdir(parents=True, exist_ok=True)
    for number in REDIS_NUMBERS:
        lock = os.open(
            folder / f"tests-{number}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600
        )
        lease.callback(os.close, lock)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            continue
        _use(number, anchors=folder / f"tests-{number}-anchors.log")
        lease.callback(forget_redis_keys)
        return lease
    raise RuntimeError(f"{len(REDIS_NUMBERS)} runs of the tests are using this checkout already.")


def forget_redis_keys() -> None:
    """Remove what we put into our Redis number; what else might be there is left alone."""
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        for pattern in OUR_REDIS_KEYS:
            for key in client.scan_iter(match=pattern):
                client.delete(key)


def database_url_of_tests() -> str:
    """The URL of the test database, for processes of their own."""
    name = settings.DATABASES["default"]["TEST"]["NAME"]
    return urlsplit(settings.DATABASE_URL)._replace(path=f"/{name}").geturl()


def _use(number: int, *, anchors: Path) -> None:
    for file in (anchors, anchors.with_name(f"audit-{anchors.name}")):
        file.unlink(missing_ok=True)
    settings.LEDGER_ANCHOR_FILE = os.environ["LEDGER_ANCHOR_FILE"] = str(anchors)
    settings.DATABASES["default"].setdefault("TEST", {})["NAME"] = f"test_tieout_{number}"
    settings.REDIS_URL = _with_number(settings.REDIS_URL, number)
    if not os.environ.get("CELERY_BROKER_URL"):
        settings.CELERY_BROKER_URL = broker_url(settings.REDIS_URL)


def _with_number(redis_url: str, number: int) -> str:
    url = urlsplit(redis_url)
    if url.scheme == "unix":
        return f"unix://{url.path}?db={number}"
    return url._replace(path=f"/{number}").geturl()


def broker_url(redis_url: str) -> str:
    """The same Redis and number as Celery names them."""
    url = urlsplit(redis_url)
    if url.scheme == "unix":
        # kombu calls the number of a Redis behind a socket its virtual host.
        query = url.query.replace("db=", "virtual_host=")
        return f"redis+socket://{url.path}?{query}"
    return redis_url
