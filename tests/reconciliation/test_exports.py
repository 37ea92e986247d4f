"""Exports as files that spreadsheets do not run."""

import csv
import json

import pytest
from django.core.management import CommandError, call_command
from openpyxl import load_workbook

from reconciliation.exports import readable
from reconciliation.services.runs import reconcile
from tests.factories import GatewayFactory, SucceededPaymentFactory
from tests.support.reports import charge, define_sources, load, report

pytestmark = pytest.mark.django_db


@pytest.fixture
def run():
    GatewayFactory()
    processor, _ = define_sources()
    payment = SucceededPaymentFactory(reference="=cmd|' /C calc'!A0")
    load(processor, report(charge(payment, "txn_1", gross="99.00", customer_facing_amount="99.00")))
    return reconcile()


def test_discrepancies_as_csv_xlsx_and_json(run, tmp_path):
    for kind in ("csv", "xlsx", "json"):
        call_command("export_discrepancies", "--format", kind, "-o", str(tmp_path / f"x.{kind}"))

    with (tmp_path / "x.csv").open(newline="") as file:
        (row,) = csv.DictReader(file)
    sheet = list(load_workbook(tmp_path / "x.xlsx").active.values)
    (item,) = json.loads((tmp_path / "x.json").read_text())
    assert (row["type"], row["amount"], row["currency"]) == ("amount_mismatch", "-1.00", "EUR")
    assert (row["expected"], row["actual"]) == ("100.00 EUR", "99.00 EUR")
    assert row["reference"] == "'=cmd|' /C calc'!A0"
    assert sheet[0][0] == "type"
    assert sheet[1][0] == "amount_mismatch"
    assert item["reference"] == "=cmd|' /C calc'!A0"


def test_matches_of_one_run(run, tmp_path):
    call_command("export_matches", "--run", run.public_id, "-o", str(tmp_path / "m.csv"))

    with (tmp_path / "m.csv").open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert (row["kind"], row["settlement_line_id"], row["rule"]) == (
        "payment",
        "txn_1",
        "exact_reference",
    )


def test_an_unknown_run_is_an_error(run, tmp_path):
    with pytest.raises(CommandError, match="no run"):
        call_command("export_matches", "--run", "run_x", "-o", str(tmp_path / "m.csv"))


def test_figures_are_read_back_in_major_units():
    assert readable("1234 EUR") == "12.34 EUR"
    assert readable("-100 JPY") == "-100 JPY"
    assert readable("2026-03-17") == "2026-03-17"
    assert readable("ORDER 1234 EUR") == "ORDER 1234 EUR"
