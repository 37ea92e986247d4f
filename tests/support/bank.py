"""A process that moves money between the accounts of the bank until it is killed.

Says a line as JSON before it asks the ledger for a batch and another when it has the answer: what
was asked without an answer may have happened or not. Run as `bank.py NAME SEED`.
"""

import json
import random
import sys
import time
from typing import Any

import django

django.setup()

from django.db import Error, connection  # noqa: E402

from ledger.entries import AccountRef, AccountType, Entry, moves  # noqa: E402
from ledger.errors import Busy  # noqa: E402
from ledger.money import Money  # noqa: E402
from ledger.services.posting import post_entries  # noqa: E402
from tests.support.entries import NOON  # noqa: E402

ACCOUNTS = [
    AccountRef(f"bank:{n}", AccountType.LIABILITY, "EUR", owner="bank", floor=0) for n in range(10)
]
MONEY_EACH = 1_000
ENTRIES_PER_BATCH_MAX = 5
PAUSE_SECONDS = 0.1


def work(name: str, seed: str) -> None:
    chance = random.Random(seed)
    number = 0
    while True:
        batch = [
            transfer(f"{name}-{number + n}", chance)
            for n in range(chance.randint(1, ENTRIES_PER_BATCH_MAX))
        ]
        number += len(batch)
        say({"asked": [entry.idempotency_key for entry in batch]})
        try:
            results = post_entries(batch)
        except (Error, Busy) as problem:
            say({"failed": type(problem).__name__})
            connection.close()
            time.sleep(PAUSE_SECONDS)
            continue
        outcomes = [result.code or str(result.status) for result in results]
        say({"answered": dict(zip((e.idempotency_key for e in batch), outcomes, strict=True))})


def transfer(key: str, chance: random.Random) -> Entry:
    source, target = chance.sample(ACCOUNTS, 2)
    money = Money(chance.randint(1, 100), "EUR")
    return Entry(key, "transfer", f"ref-{key}", NOON, moves(source, target, money))


def say(what: dict[str, Any]) -> None:
    print(json.dumps(what), flush=True)


if __name__ == "__main__":
    work(*sys.argv[1:])
