"""FIL-06: nothing that somebody else wrote runs when our files are opened in a spreadsheet."""

import csv
import shutil
import subprocess
from pathlib import Path

import pytest
from django.core.management import call_command
from lxml import etree
from openpyxl import load_workbook

from ledger.close_pack import as_csv as close_pack_csv
from ledger.management.listings import as_csv
from ledger.spreadsheets import as_text
from reconciliation.services.runs import reconcile
from tests.factories import GatewayFactory, SucceededPaymentFactory
from tests.support.reports import charge, define_sources, load, report

OFFICE = shutil.which("soffice") or shutil.which("libreoffice")
EVIL = [
    "=1+1",
    "+1+1",
    "-1+1",
    "@SUM(1)",
    "\t=1+1",
    "\r=1+1",
    "\n=1+1",
    " =1+1",
    '"=1+1"',
    "'=1+1",
    "＝1+1",
    "＋1",
    "－1",
    "＠SUM(1)",
    "\u00a0=1+1",
    "\ufeff=1+1",
    '=HYPERLINK("http://127.0.0.1","x")',
    "=cmd|' /C calc'!A0",
]
GOOD = ["", "coffee", "a=b", "1-2", "5.00", "REF+1", "a@b.example", "' or 1"]


@pytest.mark.parametrize("text", EVIL)
def test_fil_06_formula_becomes_text(text: str) -> None:
    assert as_text(text) == f"'{text}"


@pytest.mark.parametrize("text", GOOD)
def test_fil_06_text_stays_as_it_is(text: str) -> None:
    assert as_text(text) == text


def test_fil_06_every_list_of_ours_is_guarded() -> None:
    listed = list(csv.reader(as_csv(["a"], [[text] for text in EVIL]).splitlines(keepends=True)))

    assert [row[0] for row in listed[1:]] == [f"'{text}" for text in EVIL]


@pytest.mark.django_db
def test_fil_06_exported_files_have_no_formula(tmp_path: Path) -> None:
    GatewayFactory()
    processor, _ = define_sources()
    references = [text for text in EVIL if text.isprintable()]
    payments = [SucceededPaymentFactory(reference=text) for text in references]
    load(processor, report(*(charge(each, f"txn_{n}") for n, each in enumerate(payments))))
    reconcile()
    load(processor, report(*(charge(each, f"=txn_{n}") for n, each in enumerate(payments))))
    reconcile()

    for command in ("export_discrepancies", "export_matches"):
        for kind in ("csv", "xlsx"):
            path = tmp_path / f"{command}.{kind}"
            call_command(command, "--format", kind, "-o", str(path))
            assert formulas_in(path, kind) == []


def formulas_in(path: Path, kind: str) -> list[str]:
    """The cells a spreadsheet would run; asks LibreOffice too, where there is one."""
    if kind == "xlsx":
        rows = list(load_workbook(path).active.rows)
        assert len(rows) > 5
        return [cell.value for row in rows for cell in row if cell.data_type == "f"]
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) > 5
    numbers = ("amount", "age_days", "open_amount")
    texts = [row[name] for row in rows for name in row if name not in numbers]
    found = [text for text in texts if not text.startswith("'") and as_text(text) != text]
    return found + (formulas_in_office(path) if OFFICE else [])


def formulas_in_office(path: Path) -> list[str]:
    subprocess.run(
        [
            str(OFFICE),
            "--headless",
            "--convert-to",
            "fods",
            "--outdir",
            str(path.parent),
            str(path),
        ],
        check=True,
        capture_output=True,
    )
    tree = etree.parse(str(path.with_suffix(".fods")))
    return [str(formula) for formula in tree.xpath("//@*[local-name()='formula']")]


def test_fil_06_close_pack_is_guarded() -> None:
    pack = {
        "period": {"code": "=1+1", "starts_at": "", "ends_at": ""},
        **{"closed_by": "+1", "closed_at": "", "code_sha256": "", "sha256": ""},
        "head_seal": None,
        "control_totals": {"entries": 0, "postings": 0, "late_entries": 0, "by_kind": []},
        **{"trial_balance": [], "accounts": [], "not_empty": [], "open_holds": []},
        "open_items": [],
    }

    rows = list(csv.DictReader(close_pack_csv(pack).splitlines()))

    assert [row["text"] for row in rows if "1" in row["text"]] == ["'=1+1", "'+1"]
