"""What was posted is sealed once, in order."""

from datetime import UTC, datetime
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command

from ledger.models import DayTotal, JournalEntry, Seal
from ledger.proof import ENTRY_FIELDS, POSTING_FIELDS
from ledger.seals import contents
from ledger.services import sealing
from ledger.services.sealing import seal_entries
from ledger.services.verification import verify_ledger
from tests.support.sealing import post


@pytest.mark.django_db
def test_what_was_posted_is_sealed_once_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealing, "ENTRIES_PER_SEAL", 2)
    post("d1", "d2", "d3", "d4", "d5")
    ids = list(JournalEntry.objects.order_by("pk").values_list("pk", flat=True))

    seals = seal_entries()

    assert [(seal.number, seal.first_entry_id, seal.last_entry_id) for seal in seals] == [
        (1, ids[0], ids[1]),
        (2, ids[2], ids[3]),
        (3, ids[4], ids[4]),
    ]
    assert [seal.entry_count for seal in seals] == [2, 2, 1]
    assert bytes(seals[0].previous_hash) == bytes(32)
    assert [seal.previous_hash for seal in seals[1:]] == [seal.hash for seal in seals[:-1]]
    assert seal_entries() == []
    assert verify_ledger(is_full=True) == []


@pytest.mark.django_db
def test_one_run_seals_at_most_so_many_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealing, "ENTRIES_PER_SEAL", 1)
    post("d1", "d2", "d3")

    assert [len(seal_entries(limit=2)), len(seal_entries(limit=2))] == [2, 1]


@pytest.mark.django_db
def test_sealing_an_empty_journal_does_nothing(anchor_file: Path) -> None:
    assert seal_entries() == []
    assert anchor_file.read_text() == ""


@pytest.mark.django_db
def test_day_totals_cover_what_is_sealed() -> None:
    post("d1", "d2")
    seal_entries()
    post("d3")

    totals = DayTotal.objects.filter(account__code="a").values_list("debits", "credits")

    assert list(totals) == [(0, 20)]


@pytest.mark.django_db
def test_a_page_is_read_as_the_hash_wants_it() -> None:
    post("d1")

    (content,) = contents(after=0, up_to=2**62)

    assert list(content.fields) == [*ENTRY_FIELDS, "postings"]
    assert [list(line) for line in content.fields["postings"]] == [list(POSTING_FIELDS)] * 2
    assert content.fields["effective_at"] == "2026-03-02T12:00:00.000000Z"
    assert content.fields["reverses_id"] is None
    assert [line["amount"] for line in content.fields["postings"]] == [10, 10]


@pytest.mark.django_db(transaction=True)
def test_entries_posted_after_the_horizon_are_those_sealed_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sealing, "ENTRIES_PER_SEAL", 1)
    post("d1")
    post("d2")
    early, late = seal_entries()
    post("d3")

    posted = dict(JournalEntry.objects.values_list("idempotency_key", "posted_at"))

    assert early.horizon == datetime(1970, 1, 1, tzinfo=UTC)
    assert posted["d1"] < posted["d2"] < late.horizon < posted["d3"]


@pytest.mark.django_db
def test_the_command_says_what_it_sealed() -> None:
    post("d1", "d2")
    out = StringIO()

    call_command("seal_ledger", stdout=out)

    seal = Seal.objects.get()
    ids = f"{seal.first_entry_id} to {seal.last_entry_id}"
    assert out.getvalue() == (
        f"seal 1: 2 entries, {ids}, {bytes(seal.hash).hex()}\n2 entries sealed, 0 audit events.\n"
    )
