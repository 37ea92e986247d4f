"""Nothing is sealed past a writer who has not ended, and nothing is lost."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper

from ledger.models import JournalEntry, Seal
from ledger.services import sealing
from ledger.services.sealing import seal_entries
from ledger.services.verification import verify_ledger
from tests.support.races import run_together
from tests.support.sealing import anchored, post

INSERT_ENTRY = """
WITH entry AS (
    INSERT INTO ledger_journalentry (id, public_id, idempotency_key, fingerprint, kind, reference,
        posting_count, effective_at)
    OVERRIDING SYSTEM VALUE
    SELECT %(id)s, 'je_slow', 'slow', fingerprint, kind, reference, 2, effective_at
    FROM ledger_journalentry ORDER BY id LIMIT 1
    RETURNING id
)
INSERT INTO ledger_posting (entry_id, position, account_id, direction, amount)
SELECT entry.id, posting.position, posting.account_id, posting.direction, posting.amount
FROM entry, ledger_posting AS posting
WHERE posting.entry_id = (SELECT min(entry_id) FROM ledger_posting)
"""


@contextmanager
def other_transaction() -> Iterator[BaseDatabaseWrapper]:
    """A transaction of somebody else, open until the block ends."""
    other = connection.copy()
    other.set_autocommit(False)
    try:
        yield other
        other.commit()
    finally:
        other.close()


def draw_id(other: BaseDatabaseWrapper) -> int:
    with other.cursor() as cursor:
        cursor.execute("SELECT nextval('ledger_journalentry_id_seq')")
        return int(cursor.fetchone()[0])


@pytest.mark.django_db(transaction=True)
def test_nothing_is_sealed_past_a_writer_in_flight_and_nothing_is_lost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sealing, "WAIT_SECONDS", 0)
    post("d1")
    with other_transaction() as slow:
        reserved = draw_id(slow)
        post("d2")

        assert seal_entries() == []

        with slow.cursor() as cursor:
            cursor.execute(INSERT_ENTRY, {"id": reserved})
    (seal,) = seal_entries()

    ids = dict(JournalEntry.objects.values_list("idempotency_key", "pk"))
    assert ids["d1"] < ids["slow"] == reserved < ids["d2"]
    assert (seal.entry_count, seal.last_entry_id) == (3, ids["d2"])


@pytest.mark.django_db(transaction=True)
def test_the_sealer_waits_for_a_writer_who_is_about_to_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sealing, "WAIT_SECONDS", 30)
    post("d1")
    sealed: list[Seal] = []
    sealer = threading.Thread(target=lambda: sealed.extend(_seal_on_own_connection()))
    with other_transaction() as slow:
        reserved = draw_id(slow)
        sealer.start()
        sealer.join(0.2)
        assert (sealer.is_alive(), Seal.objects.count()) == (True, 0)
        with slow.cursor() as cursor:
            cursor.execute(INSERT_ENTRY, {"id": reserved})
    sealer.join(30)

    assert [(seal.entry_count, seal.last_entry_id) for seal in sealed] == [(2, reserved)]


def _seal_on_own_connection() -> list[Seal]:
    try:
        return seal_entries()
    finally:
        connection.close()


@pytest.mark.django_db(transaction=True)
def test_a_writer_who_gives_up_is_waited_for_and_leaves_a_gap() -> None:
    with other_transaction() as slow:
        draw_id(slow)
        slow.rollback()
    post("d1")

    assert [seal.entry_count for seal in seal_entries()] == [1]
    assert verify_ledger(is_full=True) == []


@pytest.mark.django_db(transaction=True)
def test_a_long_transaction_that_posts_nothing_delays_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sealing, "WAIT_SECONDS", 0)
    post("d1")
    with other_transaction() as busy, busy.cursor() as cursor:
        cursor.execute("SELECT pg_current_xact_id()")
        cursor.execute("SELECT count(*) FROM ledger_journalentry")

        assert [seal.entry_count for seal in seal_entries()] == [1]


@pytest.mark.django_db(transaction=True)
def test_two_sealers_at_once_seal_everything_once(anchor_file: Path) -> None:
    post(*(f"d{number}" for number in range(20)))

    outcomes = run_together(seal_entries, seal_entries, seal_entries)

    assert sum(len(seals) for seals in outcomes) == 1
    assert list(Seal.objects.values_list("number", "entry_count")) == [(1, 20)]
    assert set(anchored(anchor_file)) == {1}
    assert verify_ledger(is_full=True) == []
