"""Open discrepancies go out as a table and come back filled in."""

import csv
import io
from pathlib import Path

import pytest
from django.contrib.auth.models import Permission, User
from django.core.management import CommandError, call_command
from openpyxl import Workbook, load_workbook

from reconciliation.errors import SheetUnreadable
from reconciliation.models import Discrepancy, WriteOff
from reconciliation.resolution_sheets import ROWS_MAX, SheetRow, read_sheet
from reconciliation.services.resolutions import import_resolutions
from reconciliation.services.runs import reconcile
from reconciliation.services.write_offs import approve_write_off
from tests.factories import GatewayFactory, eur
from tests.support.reports import DAY, bank_of, define_sources, load
from tests.support.write_offs import CHECKER, MAKER

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books")]


@pytest.fixture
def anna() -> User:
    user = User.objects.create_user("anna@example.com")
    names = ["resolve_discrepancy", "add_writeoff"]
    user.user_permissions.set(Permission.objects.filter(codename__in=names))
    return user


@pytest.fixture
def found(anna) -> list[Discrepancy]:
    """Three bank lines that nobody explains, of -1.00, -2.00 and -3.00."""
    GatewayFactory()
    bank = bank_of()
    for amount in ("-1.00", "-2.00", "-3.00"):
        bank.book(eur(amount), counterparty="Office Rent GmbH", text="RENT")
    load(define_sources()[1], bank.statement())
    reconcile(as_of=DAY)
    return list(Discrepancy.objects.order_by("-amount"))


def exported(path: Path) -> list[dict[str, str]]:
    call_command("export_discrepancies", "--format", path.suffix[1:], "-o", str(path))
    if path.suffix == ".csv":
        with path.open(newline="") as file:
            return list(csv.DictReader(file))
    names, *rows = load_workbook(path).active.values
    return [dict(zip(names, row, strict=True)) for row in rows]


def save(rows: list[dict[str, str]], path: Path, delimiter: str = ",") -> None:
    if path.suffix == ".csv":
        with path.open("w", newline="", encoding="utf-8-sig") as file:
            writer = csv.DictWriter(file, list(rows[0]), delimiter=delimiter)
            writer.writeheader()
            writer.writerows(rows)
        return
    workbook = Workbook()
    workbook.active.append(list(rows[0]))
    for row in rows:
        workbook.active.append(list(row.values()))
    workbook.save(path)


@pytest.mark.parametrize(("suffix", "delimiter"), [(".csv", ","), (".csv", ";"), (".xlsx", "")])
def test_table_goes_out_and_comes_back_filled_in(found, anna, tmp_path, suffix, delimiter, capsys):
    path = tmp_path / f"open{suffix}"
    rows = sorted(exported(path), key=lambda row: row["amount"])
    why = {"reason_code": "our_error", "resolution": "Paid twice, asked back."}
    rows[0] |= {"owner": "anna@example.com"} | why
    rows[1] |= {"action": "booking"} | why
    rows[2] |= {"owner": "anna@example.com"}
    save(rows, path, delimiter)

    call_command("import_resolutions", str(path), "--actor", "anna@example.com", "--trial")
    assert set(Discrepancy.objects.values_list("status", flat=True)) == {"OPEN"}
    for _ in range(2):  # the second time it is so already
        call_command("import_resolutions", str(path), "--actor", "anna@example.com")

    said = capsys.readouterr().out.splitlines()[1:]
    assert said == [
        "1 resolved, 1 proposed, 1 assigned, 0 unchanged, 0 refused",
        "1 resolved, 1 proposed, 1 assigned, 0 unchanged, 0 refused",
        "0 resolved, 0 proposed, 0 assigned, 3 unchanged, 0 refused",
    ]
    by_id = {each.public_id: each for each in Discrepancy.objects.select_related("owner")}
    first, second, third = (by_id[row["id"]] for row in rows)
    assert (first.status, first.resolution, first.ended_by) == (
        "RESOLVED",
        "Paid twice, asked back.",
        "user:anna@example.com",
    )
    assert (first.owner, second.owner, third.owner) == (anna, None, anna)
    assert (second.status, third.status) == ("WRITE_OFF_REQUESTED", "OPEN")
    assert approve_write_off(WriteOff.objects.get(), actor=CHECKER).status == "POSTED"


def test_bad_rows_are_refused_by_themselves(found, anna):
    first, second, third = (each.public_id for each in found)
    results = import_resolutions(
        [
            SheetRow(2, "disc_x", reason_code="other", resolution="x"),
            SheetRow(3, first, owner="anna@example.com", reason_code="because", resolution="x"),
            SheetRow(4, second, owner="nobody@example.com"),
            SheetRow(5, third, action="approve", reason_code="other", resolution="x"),
            SheetRow(6, third, reason_code="other", resolution="x"),
        ],
        actor=MAKER,
        may_propose=False,
    )
    more = import_resolutions(
        [
            SheetRow(2, first, reason_code="other"),
            SheetRow(3, second, action="booking", reason_code="other", resolution="x"),
            SheetRow(4, third, reason_code="other", resolution="x\0"),
            SheetRow(5, third + "\0", reason_code="other", resolution="x"),
        ],
        actor=MAKER,
        may_propose=False,
    )

    messages = [result.message for result in (*results, *more)]
    for message, part in zip(
        messages,
        (
            "id: there is no discrepancy 'disc_x'",
            "'because' is no reason code",
            "owner: there is no active person 'nobody@example.com'",
            "action: 'approve' is not one of (empty), resolve, accepted_difference",
            "id: row 5 has it already",
            "Say why",
            "action: you may not propose write-offs",
            "has no NUL",
            "id: there is no discrepancy",
        ),
        strict=True,
    ):
        assert part in message
    assert [(each.status, each.owner) for each in Discrepancy.objects.all()] == [("OPEN", None)] * 3


def test_command_says_which_rows_were_refused_and_does_the_others(found, tmp_path, capsys):
    path = tmp_path / "open.csv"
    why = {"reason_code": "other", "resolution": "x"}
    save([{"id": "disc_x", **why}, {"id": found[0].public_id, **why}], path)

    with pytest.raises(CommandError, match="1 of 2 rows were refused"):
        call_command("import_resolutions", str(path), "--actor", "anna@example.com")

    assert "row 2 disc_x: id: there is no discrepancy 'disc_x'" in capsys.readouterr().out
    found[0].refresh_from_db()
    assert found[0].status == "RESOLVED"


def test_nobody_without_the_right_imports(found, tmp_path):
    User.objects.create_user("ben@example.com")
    path = tmp_path / "open.csv"
    save([{"id": "x", "owner": ""}], path)

    for name in ("ben@example.com", "nobody@example.com"):
        with pytest.raises(CommandError, match="no active person who may do this"):
            call_command("import_resolutions", str(path), "--actor", name)


def workbook() -> bytes:
    content = io.BytesIO()
    Workbook().save(content)
    return content.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"type,reference\n",
        b"id\n",
        b"id,owner\nx,\xff\n",
        b"PK\x03\x04 no archive",
        workbook(),
        workbook()[:200],
        b"id,owner\n" + b"x,y\n" * (ROWS_MAX + 1),
        b"id,owner\nx," + b"y" * 200_000,
        b"id,owner\n" + b"x" * (16 * 2**20),
    ],
)
def test_what_is_no_table_is_refused(content):
    with pytest.raises(SheetUnreadable):
        read_sheet(content)


def test_mark_against_formulas_is_taken_off_again():
    (row,) = read_sheet(b"id,resolution\nx,'=1+1\n")

    assert row == SheetRow(2, "x", resolution="=1+1")
