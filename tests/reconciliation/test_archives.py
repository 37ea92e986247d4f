"""Archives: each file inside is a file of its own."""

import io

import pytest
from django.core.management import CommandError, call_command

from reconciliation.errors import FileRefused
from reconciliation.models import StatementFile, StatementLine
from reconciliation.services.imports import import_statement
from reconciliation.services.loading import load_statements
from reconciliation.services.receiving import receive_statement
from tests.factories import GatewayFactory
from tests.support.bank_files import camt, entry, gzipped, zipped
from tests.support.reports import ACTOR, define_sources

pytestmark = pytest.mark.django_db

MONDAY = camt(entry("5.00"), name="S1")
TUESDAY = camt(entry("6.00"), name="S2", sequence="2", opening="105.00")


@pytest.fixture
def bank():
    GatewayFactory()
    return define_sources()[1]


def test_every_member_is_loaded_by_its_own_name(bank):
    content = zipped(("a/monday.xml", MONDAY), ("a/tuesday.xml", TUESDAY))

    archive, _ = import_statement(bank, io.BytesIO(content), name="week.zip", actor=ACTOR)

    members = archive.members.order_by("number")
    assert (archive.status, archive.format, archive.line_count) == ("LOADED", "zip", 0)
    assert [(each.name, each.file.status, each.file.line_count) for each in members] == [
        ("a/monday.xml", "LOADED", 1),
        ("a/tuesday.xml", "LOADED", 1),
    ]
    assert {each.file.received_by for each in members} == {f"system:archive {archive.public_id}"}
    assert StatementLine.objects.count() == 2


def test_gzip_is_one_file_by_the_name_without_gz(bank):
    archive, _ = import_statement(
        bank, io.BytesIO(gzipped(MONDAY)), name="monday.xml.gz", actor=ACTOR
    )

    assert [each.name for each in archive.members.all()] == ["monday.xml"]
    assert StatementLine.objects.count() == 1


def test_workers_load_the_members_one_by_one(bank):
    content = zipped(("1.xml", MONDAY), ("2.xml", TUESDAY))
    receive_statement(bank, io.BytesIO(content), name="a.zip", channel="api", actor=ACTOR)

    assert [load_statements() for _ in range(4)] == [1, 1, 1, 0]

    assert StatementLine.objects.count() == 2


def test_member_that_is_no_statement_is_refused_and_the_others_are_loaded(bank, tmp_path, capsys):
    path = tmp_path / "a.zip"
    path.write_bytes(zipped(("1.xml", MONDAY), ("read me.txt", b"Dear customer")))

    with pytest.raises(CommandError, match=r"Refused: read me\.txt"):
        call_command("import_statement", "--source", "bank", str(path))

    assert "read me.txt is refused: unknown_format" in capsys.readouterr().out
    assert sorted(StatementFile.objects.values_list("status", flat=True)) == [
        "LOADED",
        "LOADED",
        "REFUSED",
    ]


def test_archive_with_one_bad_member_brings_none(bank):
    content = zipped(("1.xml", MONDAY), ("2.xml", bytes(30_000_000)))

    with pytest.raises(FileRefused, match="archive_too_large"):
        import_statement(bank, io.BytesIO(content), name="a.zip", actor=ACTOR)

    assert StatementFile.objects.get().refusal_code == "archive_too_large"


def test_folders_in_an_archive_are_no_members(bank):
    content = zipped(*((f"{n}/", b"") for n in range(30)), ("30/a.xml", MONDAY))

    import_statement(bank, io.BytesIO(content), name="a.zip", actor=ACTOR)

    assert StatementLine.objects.count() == 1
