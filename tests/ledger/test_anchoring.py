"""Each seal is kept outside the database too: in a file, the log, and at an address."""

import json
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.management import call_command

from ledger.anchors import anchor_seals
from ledger.seals import JOURNAL
from ledger.services import sealing
from ledger.services.sealing import seal_entries
from ledger.services.verification import verify_ledger
from tests.support.sealing import anchored, post


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
    newest = JOURNAL.newest()
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
    assert anchor_seals(JOURNAL) == 0
    assert anchor_file.read_text() == "not an anchor\n"
