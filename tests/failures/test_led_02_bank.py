"""LED-02: money moves between ten accounts while workers and the database server are killed.

Nobody ever sees another total than there was, nor an overdraft; what was acknowledged happened
once, what was not happened once or not at all. `LEDGER_BANK_SECONDS` makes it longer.
"""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from config.embedded.places import CHECKOUT
from tests.support.embedded import Holder, Instance
from tests.support.servers import Child, wait_for

SECONDS = int(os.environ.get("LEDGER_BANK_SECONDS", "6"))
SECONDS_BETWEEN_KILLS = 2
WORKERS = 4
TOTAL = 10_000
OPEN_THE_BANK = """
import django
django.setup()
from tests.support.bank import ACCOUNTS, MONEY_EACH
from tests.support.entries import funded
for account in ACCOUNTS:
    funded(account, MONEY_EACH)
"""
LOOK = """
SELECT (SELECT sum(credits - debits) FROM bank), (SELECT min(credits - debits) FROM bank),
    (SELECT sum(CASE direction WHEN 'credit' THEN amount ELSE -amount END)
     FROM ledger_posting JOIN ledger_account ON ledger_account.id = account_id
     WHERE owner = 'bank')
"""
BANK = """
WITH bank AS (
    SELECT debits, credits
    FROM ledger_accountbalance JOIN ledger_account ON ledger_account.id = account_id
    WHERE owner = 'bank'
)
"""


class Bank:
    """A database of its own, with workers on it."""

    def __init__(self, instance: Instance, folder: Path) -> None:
        self.folder = folder
        self.instance = instance
        self.holder = instance.hold()
        self.workers: list[Child] = []
        self.folders: list[Path] = []

    @property
    def environment(self) -> dict[str, str]:
        servers = self.holder.servers
        return {
            "DATABASE_URL": servers["PostgreSQL 18"]["url"],
            "REDIS_URL": servers["Valkey 9"]["url"],
            "LEDGER_ANCHOR_FILE": f"{self.folder}/anchors.log",
            "DJANGO_SETTINGS_MODULE": "config.settings",
        }

    def run(self, *arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, *arguments],
            env=self.instance.environment(**self.environment),
            cwd=CHECKOUT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def start_worker(self) -> None:
        name = f"w{len(self.folders)}"
        folder = self.folder / name
        folder.mkdir()
        self.folders.append(folder)
        argv = [sys.executable, "-m", "tests.support.bank", name, name]
        self.workers.append(Child(argv, folder, **self.environment))

    def kill_a_worker(self, chance: random.Random) -> None:
        worker = self.workers.pop(chance.randrange(len(self.workers)))
        worker.kill_group()

    def crash_the_server(self) -> Holder:
        """What `pg_ctl stop -m immediate` does, which root may not use; then start it again."""
        os.kill(self.holder.postgres_pid, signal.SIGQUIT)
        wait_for(lambda: not is_running(self.holder.postgres_pid))
        crashed, self.holder = self.holder, self.instance.hold()
        return crashed

    def said(self) -> list[dict[str, Any]]:
        """Whole lines only: whoever is killed may leave half of one."""
        return [
            json.loads(line)
            for folder in self.folders
            for line in (folder / "stdout").read_text().splitlines(keepends=True)
            if line.endswith("\n")
        ]

    def answers(self) -> dict[str, str]:
        return {key: said for line in self.said() for key, said in line.get("answered", {}).items()}

    def query(self, statement: str) -> list[tuple[Any, ...]]:
        return self.holder.query(statement)


class Reader(threading.Thread):
    """Looks at the whole bank in one snapshot, again and again, whatever happens to the server."""

    def __init__(self, url: str) -> None:
        super().__init__(daemon=True)
        self.url = url
        self.looks = 0
        self.wrong: list[tuple[Any, ...]] = []
        self.is_over = threading.Event()

    def run(self) -> None:
        while not self.is_over.wait(0.05):
            try:
                with psycopg.connect(self.url, autocommit=True) as connection:
                    self.look_on(connection)
            except psycopg.OperationalError:
                continue

    def look_on(self, connection: psycopg.Connection) -> None:
        while not self.is_over.wait(0.05):
            total, lowest, posted = connection.execute(BANK + LOOK).fetchone()
            self.looks += 1
            if (total, posted) != (TOTAL, TOTAL) or lowest < 0:
                self.wrong.append((total, lowest, posted))


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.fixture
def bank() -> Iterator[Bank]:
    folder = Path(tempfile.mkdtemp(prefix="tieout-bank-")).resolve()
    folder.chmod(0o711)
    instance = Instance(folder / "data")
    opened = Bank(instance, folder)
    try:
        opened.run("manage.py", "migrate", "--no-input", "--skip-checks")
        opened.run("-c", OPEN_THE_BANK)
        yield opened
    finally:
        for worker in opened.workers:
            worker.kill_group()
        instance.destroy()
        shutil.rmtree(folder, ignore_errors=True)


def test_led_02_no_money_is_lost_or_made_while_workers_and_the_server_are_killed(
    bank: Bank,
) -> None:
    chance = random.Random("bank")
    reader = Reader(bank.environment["DATABASE_URL"])
    reader.start()
    for _ in range(WORKERS):
        bank.start_worker()
    wait_for(lambda: len(bank.answers()) > 100)

    over_at = time.monotonic() + SECONDS
    crash_at = time.monotonic() + SECONDS / 2
    answered_at_crash = 0
    while time.monotonic() < over_at:
        time.sleep(chance.uniform(0, SECONDS_BETWEEN_KILLS))
        bank.kill_a_worker(chance)
        bank.start_worker()
        if not answered_at_crash and time.monotonic() > crash_at:
            bank.crash_the_server()
            answered_at_crash = len(bank.answers())
    wait_for(lambda: len(bank.answers()) > answered_at_crash + 100)
    while bank.workers:
        bank.kill_a_worker(chance)
    reader.is_over.set()
    reader.join()

    assert reader.looks > 20 * SECONDS / 4
    assert reader.wrong == []
    assert bank.query(BANK + LOOK)[0][::2] == (TOTAL, TOTAL)
    assert_acknowledged_is_what_happened(bank)
    bank.run("manage.py", "seal_ledger", "--skip-checks")
    bank.run("manage.py", "verify_ledger", "--full", "--skip-checks")


def assert_acknowledged_is_what_happened(bank: Bank) -> None:
    posted = [
        key
        for (key,) in bank.query(
            "SELECT idempotency_key FROM ledger_journalentry WHERE kind = 'transfer'"
        )
    ]
    answers = bank.answers()
    asked = {key for line in bank.said() for key in line.get("asked", ())}
    acknowledged = {key for key, said in answers.items() if said == "posted"}
    refused = {key for key, said in answers.items() if said == "insufficient_funds"}

    assert len(posted) == len(set(posted))
    assert acknowledged <= set(posted) <= asked
    assert acknowledged | refused == set(answers)
    assert not refused & set(posted)
