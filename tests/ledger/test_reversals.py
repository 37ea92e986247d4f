"""Corrections are entries of their own, once, with a reason and a name."""

from dataclasses import replace

import pytest
from django.db import IntegrityError, connection, transaction

from ledger.actors import Actor
from ledger.entries import Entry
from ledger.models import AuditEvent, JournalEntry
from ledger.selectors import trial_balance
from ledger.services.audit import ReasonMissing
from ledger.services.posting import EntryRefused, post_entries, post_entry
from ledger.services.reversals import EntryNotFound, reverse_entry
from tests.support.entries import balance, deposit, funded, transfer, wallet
from tests.support.races import run_together

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books")]

ACTOR = Actor("user", "7", "maker@example.com")


def test_a_reversal_mirrors_its_entry_and_both_stay() -> None:
    source, target = funded(wallet("a"), 100), wallet("b")
    entry_id = post_entry(transfer("t1", source, target, 30)).public_id

    reversal = reverse_entry(entry_id, reason="Sent to the wrong wallet", actor=ACTOR)

    original = JournalEntry.objects.get(public_id=entry_id)
    assert (reversal.reverses, original.reversed_by) == (original, reversal)
    assert (balance(source), balance(target)) == (100, 0)
    assert JournalEntry.objects.count() == 3
    event = AuditEvent.objects.get()
    assert (event.action, event.subject) == ("journal_entry.reversed", entry_id)
    assert (event.actor_label, event.reason) == ("maker@example.com", "Sent to the wrong wallet")
    assert event.after == {"reversal": reversal.public_id}


def test_an_entry_is_reversed_once_however_often_it_is_asked() -> None:
    entry_id = post_entry(deposit("d1", wallet("a"), 10)).public_id

    first = reverse_entry(entry_id, reason="Mistake", actor=ACTOR)
    again = reverse_entry(entry_id, reason="Mistake", actor=ACTOR)

    assert first == again
    assert AuditEvent.objects.count() == 1
    assert balance(wallet("a")) == 0


@pytest.mark.django_db(transaction=True)
def test_racing_reversals_make_one() -> None:
    entry_id = post_entry(deposit("d1", wallet("a"), 10)).public_id

    outcomes = run_together(
        *[lambda: reverse_entry(entry_id, reason="Mistake", actor=ACTOR).pk for _ in range(4)]
    )

    assert len(set(outcomes)) == 1
    assert AuditEvent.objects.count() == 1
    assert JournalEntry.objects.filter(kind="reversal").count() == 1
    assert balance(wallet("a")) == 0


def test_what_is_not_there_any_more_cannot_be_taken_back() -> None:
    source, target = wallet("a"), wallet("b")
    entry_id = post_entry(deposit("d1", source, 100)).public_id
    post_entry(transfer("t1", source, target, 60))
    before = trial_balance()

    with pytest.raises(EntryRefused) as refusal:
        reverse_entry(entry_id, reason="Mistake", actor=ACTOR)

    assert refusal.value.code == "insufficient_funds"
    assert trial_balance() == before
    assert not AuditEvent.objects.exists()


def test_a_reversal_needs_a_reason_and_an_entry() -> None:
    entry_id = post_entry(deposit("d1", wallet("a"), 10)).public_id

    with pytest.raises(ReasonMissing):
        reverse_entry(entry_id, reason="  ", actor=ACTOR)
    with pytest.raises(EntryNotFound):
        reverse_entry("je_0", reason="Mistake", actor=ACTOR)

    assert JournalEntry.objects.count() == 1


def test_the_database_refuses_a_second_reversal() -> None:
    entry_id = post_entry(deposit("d1", wallet("a"), 10)).public_id
    reverse_entry(entry_id, reason="Mistake", actor=ACTOR)
    statement = """
    WITH entry AS (
        INSERT INTO ledger_journalentry (
            public_id, idempotency_key, fingerprint, kind, reference, posting_count, effective_at,
            reverses_id
        )
        SELECT 'je_raw', 'raw', fingerprint, 'reversal', reference, 2, effective_at, reverses_id
        FROM ledger_journalentry WHERE reverses_id IS NOT NULL
        RETURNING id
    )
    INSERT INTO ledger_posting (entry_id, position, account_id, direction, amount)
    SELECT entry.id, position, account_id, direction, amount
    FROM ledger_posting, entry
    WHERE entry_id = (SELECT id FROM ledger_journalentry WHERE reverses_id IS NOT NULL)
    """

    with (
        pytest.raises(IntegrityError, match="reverses_id"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)


@pytest.mark.parametrize(
    "change",
    ["UPDATE ledger_auditevent SET reason = ''", "DELETE FROM ledger_auditevent"],
)
def test_the_audit_trail_is_append_only(change: str) -> None:
    entry_id = post_entry(deposit("d1", wallet("a"), 10)).public_id
    reverse_entry(entry_id, reason="Mistake", actor=ACTOR)

    with (
        pytest.raises(IntegrityError, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(change)


def test_second_reversal_under_another_key_is_refused_and_fails_no_neighbour() -> None:
    source, target = funded(wallet("a"), 100), wallet("b")
    original = post_entry(transfer("t1", source, target, 30)).entry_id

    def undo(key: str, entry_id: int | None) -> Entry:
        return replace(transfer(key, target, source, 30), reverses=entry_id)

    results = post_entries(
        [
            undo("r1", original),
            undo("r2", original),
            undo("r3", 999_999_999),
            transfer("t2", source, target, 1),
        ]
    )
    again = post_entries([undo("r4", original)])

    assert [result.code or result.status for result in results + again] == [
        "posted",
        "already_reversed",
        "already_reversed",
        "posted",
        "already_reversed",
    ]
