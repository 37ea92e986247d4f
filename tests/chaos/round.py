"""One fault at work."""

import time
from contextlib import suppress
from dataclasses import dataclass
from random import Random

import psycopg

from tests.chaos.house import House
from tests.chaos.traffic import Traffic

BUSY_WITHIN_SECONDS = 30  # it may have to be started first
BUSY = """
SELECT DISTINCT pid FROM payments_heartbeat AS heartbeat JOIN (
    SELECT holder FROM payments_payment WHERE leased_until > now() + interval '59.9 s'
) AS payment ON payment.holder = heartbeat.id
"""
WORKERS = ("worker1", "worker2")


@dataclass
class Round:
    """`seconds` is about how long the fault lasts."""

    house: House
    traffic: Traffic
    chance: Random
    seconds: float

    def pass_time(self, part: float = 1.0) -> None:
        time.sleep(self.seconds * part)

    def busy_child(self, *names: str) -> tuple[str, int]:
        """A worker, of these, and the one of its processes that has rows in hand just now."""
        give_up_at = time.monotonic() + BUSY_WITHIN_SECONDS
        while time.monotonic() < give_up_at:
            # Looked up first: what is in hand is in hand for a quarter of a second.
            workers = {
                child: name
                for name in names
                for child in self.house.children(self.house.main_pid(name))
            }
            look_again_at = time.monotonic() + 1
            while time.monotonic() < look_again_at:
                for pid in self._busy() & workers.keys():
                    return workers[pid], pid
        raise AssertionError(f"None of {names} had anything to do.")

    def _busy(self) -> set[int]:
        """Processes that have just taken payments; nobody if another fault is in the way."""
        with suppress(psycopg.Error):
            return {pid for (pid,) in self.house.query(BUSY)}
        return set()
