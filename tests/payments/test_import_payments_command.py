"""`import_payments`: what it prints, and what it says is wrong."""

import json
import os
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from tests.support.histories import BACK, COLUMNS, OLD, PAID, YEN, nothing_is_loaded

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books", "spay")]


def test_command_prints_what_it_did(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "payments.csv"
    file.write_text("\ufeff" + "\r\n".join([COLUMNS, PAID, BACK]) + "\r\n")

    call_command("import_payments", str(file))
    said = capsys.readouterr().out
    call_command("import_payments", str(file), "--json")
    data = json.loads(capsys.readouterr().out)

    assert said == "payments: 1 new, 0 known, 100.00 EUR\nrefunds: 1 new, 0 known, 30.00 EUR\n"
    assert data == {
        "payments": {"created": 0, "known": 1, "sums": {}},
        "refunds": {"created": 0, "known": 1, "sums": {}},
    }


def test_command_shows_a_bar_on_a_terminal_and_none_to_machines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "payments.csv"
    file.write_text("\n".join([COLUMNS, PAID, OLD, BACK]))
    keeper, side = os.openpty()
    with open(keeper, "rb", buffering=0) as screen, open(side, "w") as terminal:
        monkeypatch.setattr("sys.stderr", terminal)

        call_command("import_payments", str(file))
        call_command("import_payments", str(file), "--json")

        terminal.write("end")
        terminal.flush()
        drawn = b""
        while not drawn.endswith(b"end"):
            drawn += screen.read(1_000)
    assert drawn.decode() == (
        f"\r[{'#' * 19}{'.' * 11}]  66 % 2 rows\r[{'#' * 30}] 100 % 3 rows\r\x1b[Kend"
    )
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["payments"]["known"] == 2


def test_command_reads_what_a_pipe_brings(capsys: pytest.CaptureFixture[str]) -> None:
    end, start = os.pipe()
    with open(end) as pipe, open(start, "w") as file:
        file.write("\n".join([COLUMNS, BACK, PAID]))
        file.close()

        call_command("import_payments", f"/dev/fd/{pipe.fileno()}")

    assert capsys.readouterr().out == (
        "payments: 1 new, 0 known, 100.00 EUR\nrefunds: 1 new, 0 known, 30.00 EUR\n"
    )


def test_command_names_the_line_that_is_not_utf_8(tmp_path: Path) -> None:
    file = tmp_path / "payments.csv"
    file.write_bytes(f"{COLUMNS}\n{PAID}\n{YEN}".encode() + ",Köln\n".encode("latin-1"))

    with pytest.raises(CommandError, match=r"^Line 3: it is not UTF-8 \(row_refused\)$"):
        call_command("import_payments", str(file))

    assert nothing_is_loaded()


def test_command_says_in_one_line_what_is_wrong(tmp_path: Path) -> None:
    file = tmp_path / "payments.csv"
    file.write_text("\n".join([COLUMNS, PAID.replace("payment", "gift")]))

    with pytest.raises(CommandError) as refusal:
        call_command("import_payments", str(file))
    with pytest.raises(CommandError, match="No such file"):
        call_command("import_payments", str(tmp_path / "nothing.csv"))

    assert str(refusal.value) == (
        "Line 2: type is 'gift'; payment or refund is known (row_refused)"
    )
    assert nothing_is_loaded()
