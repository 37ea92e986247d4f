"""What is sealed, when, by whom, and what is written about it outside the database."""

import json
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.management import call_command
from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper

from ledger.anchors import anchor_seals
from ledger.models import DayTotal, JournalEntry, Seal
from ledger.proof import ENTRY_FIELDS, POSTING_FIELDS
from ledger.seals import contents, newest_seal
from ledger.services import sealing
from ledger.services.posting import post_entries
from ledger.services.sealing import seal_entries
from ledger.services.verification import verify_ledger
from tests.support.entries import deposit, wallet
from tests.support.races import run_together

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


def post(*keys: str) -> None:
    post_entries([deposit(key, wallet("a"), 10) for key in keys])


def anchored(file: Path) -> list[int]:
    return [json.loads(line)["number"] for line in file.read_text().splitlines()]


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


@pytest.mark.django_db
def test_each_seal_is_anchored_in_a_private_file_and_in_the_log(
    anchor_file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "ledger.anchors")
    post("d1")
    seal_entries()
    post("d2")
    seal_entries()

    first, second = map(json.loads, anchor_file.read_text().splitlines())
    newest = newest_seal()
    assert newest is not None
    assert (first["number"], second["number"]) == (1, 2)
    assert second["hash"] == bytes(newest.hash).hex()
    assert second["last_entry_id"] == newest.last_entry_id
    assert len(second["signature"]) == 64
    assert stat.S_IMODE(anchor_file.stat().st_mode) == 0o600
    assert f"ledger.anchored {json.dumps(second)}" in caplog.messages


@pytest.mark.django_db
def test_a_seal_left_without_an_anchor_is_anchored_by_the_next_run(
    anchor_file: Path, settings: LazySettings, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    post("d1")
    seal_entries()
    settings.LEDGER_ANCHOR_FILE = str(tmp_path)  # a folder cannot be written
    post("d2")
    assert [seal.number for seal in seal_entries()] == [2]
    settings.LEDGER_ANCHOR_FILE = str(anchor_file)
    assert anchored(anchor_file) == [1]

    assert seal_entries() == []

    assert anchored(anchor_file) == [1, 2]
    assert any("ledger.anchor_file_failed" in message for message in caplog.messages)


@pytest.mark.django_db
def test_a_line_cut_short_by_a_crash_is_written_again(anchor_file: Path) -> None:
    post("d1")
    seal_entries()
    post("d2")
    seal_entries()
    whole = anchor_file.read_bytes()
    anchor_file.write_bytes(whole[:-20])

    seal_entries()

    assert anchor_file.read_bytes() == whole


@pytest.mark.django_db
def test_an_anchor_file_that_was_lost_is_written_anew_only_on_request(anchor_file: Path) -> None:
    post("d1")
    seal_entries()
    anchor_file.unlink()
    post("d2")
    seal_entries()
    assert anchored(anchor_file) == [2]

    call_command("seal_ledger", "--anchor-all", stdout=StringIO())

    assert anchored(anchor_file) == [2, 1, 2]
    assert verify_ledger() == []


@contextmanager
def listener(status: int) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Somebody who is posted anchors and answers with this status."""
    heard: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            heard.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/", heard
        server.shutdown()
        thread.join()


@pytest.mark.django_db
@pytest.mark.parametrize("status", [200, 500])
def test_the_newest_anchor_is_posted_and_a_refusal_breaks_nothing(
    anchor_file: Path, settings: LazySettings, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    monkeypatch.setattr(sealing, "ENTRIES_PER_SEAL", 1)
    post("d1", "d2")

    with listener(status) as (settings.LEDGER_ANCHOR_URL, heard):
        assert len(seal_entries()) == 2

    assert [anchor["number"] for anchor in heard] == [2]
    assert anchored(anchor_file) == [1, 2]


@pytest.mark.django_db
@pytest.mark.parametrize("url", ["http://127.0.0.1:1/", "nowhere", "http://[/"])
def test_an_address_that_does_not_answer_breaks_nothing(
    anchor_file: Path, settings: LazySettings, caplog: pytest.LogCaptureFixture, url: str
) -> None:
    settings.LEDGER_ANCHOR_URL = url
    post("d1")

    assert len(seal_entries()) == 1
    assert anchored(anchor_file) == [1]
    assert any("ledger.anchor_url_failed" in message for message in caplog.messages)


@pytest.mark.django_db
def test_a_garbled_anchor_file_breaks_no_sealing(anchor_file: Path) -> None:
    anchor_file.write_text("not an anchor\n")
    post("d1")

    assert len(seal_entries()) == 1
    assert anchor_seals() == 0
    assert anchor_file.read_text() == "not an anchor\n"


@pytest.mark.django_db
def test_the_command_says_what_it_sealed() -> None:
    post("d1", "d2")
    out = StringIO()

    call_command("seal_ledger", stdout=out)

    seal = Seal.objects.get()
    ids = f"{seal.first_entry_id} to {seal.last_entry_id}"
    assert out.getvalue() == (
        f"seal 1: 2 entries, {ids}, {bytes(seal.hash).hex()}\n2 entries sealed.\n"
    )
