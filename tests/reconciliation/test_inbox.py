"""The inbox folder: picked up once, moved with a reason, never lost."""

import os
import time
from pathlib import Path

import pytest
from django.core.management import call_command

from reconciliation.models import StatementFile, StatementLine
from reconciliation.services import inbox
from reconciliation.services.inbox import pick_up_statements
from reconciliation.services.receiving import receive_statement
from tests.factories import GatewayFactory
from tests.support.bank_files import camt, entry, zipped
from tests.support.races import run_together
from tests.support.reports import ACTOR, define_sources

CONTENT = camt(entry())


@pytest.fixture
def folder(db, tmp_path, settings, monkeypatch) -> Path:
    """The folder of the source `bank`, in which every file is finished."""
    GatewayFactory()
    define_sources()
    settings.STATEMENT_INBOX = str(tmp_path)
    monkeypatch.setattr(inbox, "QUIET_SECONDS", 0)
    (tmp_path / "bank").mkdir()
    return tmp_path / "bank"


def names(folder: Path) -> list[str]:
    """What is in it, without the time in front of moved files."""
    return sorted(path.name.partition("_")[2] or path.name for path in folder.iterdir())


def test_file_is_loaded_and_moved(folder):
    (folder / "monday.xml").write_bytes(CONTENT)

    picked = pick_up_statements()

    assert [each.reason for each in picked] == [""]
    assert (names(folder), names(folder / "done")) == (["done"], ["monday.xml"])
    file = StatementFile.objects.get()
    assert (file.status, file.name, file.channel) == ("LOADED", "monday.xml", "inbox")
    assert pick_up_statements() == []


def test_refused_file_is_moved_with_the_reason_beside_it(folder):
    (folder / "bad.xml").write_bytes(camt(entry(mark="PLUS")))

    (picked,) = pick_up_statements()

    assert "bad_lines" in picked.reason
    assert names(folder / "refused") == ["bad.xml", "bad.xml.reason.txt"]
    (reason,) = (folder / "refused").glob("*.reason.txt")
    assert "bad_direction" in reason.read_text()


def test_refused_file_put_back_is_tried_again(folder):
    bank = define_sources()[1]
    bank.formats = []
    bank.save()
    (folder / "a.xml").write_bytes(CONTENT)
    assert pick_up_statements()[0].reason

    bank.formats = ["camt.053"]
    bank.save()
    (moved,) = (folder / "refused").glob("*.xml")
    moved.rename(folder / "a.xml")

    assert pick_up_statements()[0].reason == ""
    assert StatementFile.objects.get().status == "LOADED"


def test_same_content_twice_is_loaded_once_and_both_are_moved(folder):
    (folder / "a.xml").write_bytes(CONTENT)
    (folder / "b.xml").write_bytes(CONTENT)

    assert len(pick_up_statements()) == 2

    assert names(folder / "done") == ["a.xml", "b.xml"]
    assert (StatementFile.objects.count(), StatementLine.objects.count()) == (1, 1)


def test_files_of_one_name_and_moment_do_not_overwrite_each_other(folder):
    for number in (1, 2):
        path = folder / "a.xml"
        path.write_bytes(camt(entry(f"{number}.00")))
        os.utime(path, (1_700_000_000, 1_700_000_000))
        pick_up_statements()

    assert names(folder / "done") == ["a.xml", "a.xml"]


def test_file_is_left_alone_while_it_is_written(folder, monkeypatch):
    monkeypatch.setattr(inbox, "QUIET_SECONDS", 60)
    path = folder / "a.xml"
    path.write_bytes(CONTENT[:100])
    # The time of its content says nothing: whoever copies a file keeps it.
    os.utime(path, (1_700_000_000, 1_700_000_000))

    assert pick_up_statements() == []

    monkeypatch.setattr(time, "time", lambda: path.stat().st_ctime + 61)
    path.write_bytes(CONTENT)
    assert len(pick_up_statements()) == 1


def test_unfinished_and_hidden_files_and_folders_are_left_alone(folder):
    for name in (".hidden", "a.part", "b.tmp"):
        (folder / name).write_bytes(CONTENT)
    (folder / "later").mkdir()

    assert pick_up_statements() == []
    assert names(folder) == [".hidden", "a.part", "b.tmp", "later"]


def test_links_and_pipes_are_refused_and_never_read(folder, tmp_path):
    secret = tmp_path / "secret.xml"
    secret.write_bytes(CONTENT)
    (folder / "link.xml").symlink_to(secret)
    (folder / "to-folder").symlink_to(tmp_path)
    os.mkfifo(folder / "pipe.xml")

    picked = pick_up_statements()

    assert len(picked) == 3
    assert all(each.reason for each in picked)
    assert not StatementFile.objects.exists()
    assert secret.read_bytes() == CONTENT
    assert len(names(folder / "refused")) == 6


def test_folder_of_nobody_is_left_as_it_is(folder, caplog):
    stranger = folder.parent / "stranger"
    stranger.mkdir()
    (stranger / "a.xml").write_bytes(CONTENT)

    assert pick_up_statements() == []

    assert names(stranger) == ["a.xml"]
    assert "unknown_source" in caplog.text


def test_archive_is_loaded_with_all_that_is_in_it(folder):
    days = [camt(entry(f"{n}.00"), name=f"S{n}") for n in (1, 2)]
    (folder / "a.zip").write_bytes(zipped(*((f"{n}.xml", day) for n, day in enumerate(days))))

    pick_up_statements()

    assert names(folder / "done") == ["a.zip"]
    assert StatementLine.objects.count() == 2
    assert {each.channel for each in StatementFile.objects.all()} == {"inbox"}


def test_file_that_was_received_and_not_loaded_when_somebody_was_killed_is_finished(folder):
    path = folder / "a.xml"
    path.write_bytes(CONTENT)
    with path.open("rb") as content:
        receive_statement(define_sources()[1], content, name="a.xml", channel="inbox", actor=ACTOR)

    assert pick_up_statements()[0].reason == ""

    assert StatementFile.objects.get().status == "LOADED"
    assert names(folder / "done") == ["a.xml"]


@pytest.mark.django_db(transaction=True)
def test_two_at_once_pick_everything_up_once(folder):
    for number in range(5):
        (folder / f"{number}.xml").write_bytes(camt(entry(f"{number + 1}.00"), name=f"S{number}"))

    first, second = run_together(pick_up_statements, pick_up_statements)

    assert len(first) + len(second) == 5
    assert StatementLine.objects.count() == 5


def test_without_an_inbox_nothing_happens(settings):
    settings.STATEMENT_INBOX = ""

    assert pick_up_statements() == []


def test_command_says_what_became_of_each(folder, capsys):
    (folder / "a.xml").write_bytes(CONTENT)
    (folder / "b.xml").write_bytes(b"hello")

    call_command("pick_up_statements")

    said = capsys.readouterr().out.splitlines()
    assert said[0].endswith("_a.xml: loaded")
    assert "_b.xml: b.xml: unknown_format" in said[1]
