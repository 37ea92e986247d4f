"""How far something long is, told from inside its transactions: a hint in Redis, which may lose it.

Whoever begins holds an advisory lock while it lasts. What is told counts for as long as that very
connection holds the lock, so that nothing is said of somebody who was killed.
"""

from dataclasses import dataclass
from typing import Any

from django.db import connection
from redis import Redis

from ledger import sql
from payments import cache

KEPT_SECONDS = 24 * 3600
HOLDER = "pid"


@dataclass(frozen=True, slots=True)
class Told:
    """What is under way says of itself; empty if Redis does not know."""

    said: dict[str, str]

    def number(self, name: str) -> int | None:
        text = self.said.get(name, "")
        return int(text) if text.isdecimal() else None


def begin(name: str, **said: object) -> None:
    """Forget what was told before. For whoever just took the lock; never raises."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (pid,) = cursor.fetchone()
    _write(name, {HOLDER: pid, **said}, is_new=True)


def tell(name: str, **said: object) -> None:
    """Add to what is told; a few tenths of a millisecond, and never raises."""
    _write(name, said, is_new=False)


def told(name: str, *, lock: int) -> Told | None:
    """None if nobody holds the lock: nothing is under way, or it was cut off."""
    holders = {str(row.pid) for row in sql.rows("payments", "list_lock_holders", lock=lock)}
    if not holders:
        return None
    try:
        found: Any = cache.ask(lambda client: client.hgetall(_key(name)))
    except cache.Unreachable:
        return Told({})
    said = {key.decode(): value.decode() for key, value in found.items()}
    return Told(said if said.pop(HOLDER, "") in holders else {})


def _write(name: str, said: dict[str, object], *, is_new: bool) -> None:
    def write(client: Redis) -> None:
        pipe = client.pipeline()
        if is_new:
            pipe.delete(_key(name))
        pipe.hset(_key(name), mapping={key: str(value) for key, value in said.items()})
        pipe.expire(_key(name), KEPT_SECONDS)
        pipe.execute()

    try:
        cache.ask(write)
    except cache.Unreachable:
        return


def _key(name: str) -> str:
    return f"tieout:progress:{connection.settings_dict['NAME']}:{name}"
