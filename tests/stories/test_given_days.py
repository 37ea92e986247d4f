"""Business days of other people with an answer key, read in place (`TIEOUT_DAYS`)."""

import csv
import json
import os
from datetime import date
from pathlib import Path

import pytest
from django.core.management import call_command

from ledger.models import JournalEntry
from reconciliation.selectors import latest_day, tie_outs
from reconciliation.services.runs import reconcile

DAYS = Path(os.environ["TIEOUT_DAYS"]) if "TIEOUT_DAYS" in os.environ else None
NAMES = ("clean-300", "broken-300", "split-2000")
OUR_NAMES = {
    "batch_short_chargeback": "deposit_short",
    "bank_deposit_missing": "deposit_missing",
    "bank_deposit_duplicate": "deposit_duplicate",
    "orphan": "orphan_line",
}

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("books"),
    pytest.mark.skipif(DAYS is None, reason="TIEOUT_DAYS names no folder with business days"),
]


def load(folder: Path) -> None:
    call_command("load_config", "docs/examples/days.toml", verbosity=0)
    call_command("import_fx_rates", str(folder / "fx_rates.csv"))
    call_command("import_payments", str(folder / "payments.csv"))
    for source, pattern in (("spay", "psp_spay*"), ("adyn", "psp_adyn*"), ("bank", "bank*.xml")):
        for file in sorted(folder.glob(pattern)):
            call_command("import_statement", "--source", source, str(file))


def expected_findings(folder: Path) -> set[tuple[str, str]]:
    key = json.loads((folder / "truth.json").read_text())
    breaks = [planted for planted in key["breaks"] if planted["money_break"]]
    return {
        (
            OUR_NAMES.get(planted["type"], planted["type"]),
            planted["settlement_line_id"] if planted["level"] == "line" else planted["reference"],
        )
        for planted in breaks
    }


def exported(command: str, path: Path) -> list[dict[str, str]]:
    call_command(command, "--format", "csv", "-o", str(path))
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("name", NAMES)
def test_every_planted_break_is_found_and_nothing_else(name, tmp_path):
    assert DAYS is not None
    load(DAYS / name)

    run = reconcile()

    found = {
        (row["type"], row["reference"])
        for row in exported("export_discrepancies", tmp_path / "found.csv")
        if row["type"] != "unexplained_bank_line"
    }
    assert found == expected_findings(DAYS / name)
    with (DAYS / name / "truth_matches.csv").open(newline="") as file:
        true_pairs = {(row["reference"], row["settlement_line_id"]) for row in csv.DictReader(file)}
    pairs = {
        (row["reference"], row["settlement_line_id"])
        for row in exported("export_matches", tmp_path / "matches.csv")
        if row["kind"] in ("payment", "refund")
    }
    assert pairs == true_pairs
    proofs = tie_outs(run.as_of)
    assert len(proofs) == 11
    assert not [proof.line for proof in proofs if proof.difference]
    assert not any(proof.difference for proof in tie_outs(date(2026, 3, 18)))


def test_loading_and_running_everything_again_changes_nothing(tmp_path):
    assert DAYS is not None
    load(DAYS / "broken-300")
    reconcile()
    entries, day = JournalEntry.objects.count(), latest_day()

    load(DAYS / "broken-300")
    again = reconcile()

    assert (again.match_count, again.discrepancy_count) == (0, 0)
    assert (JournalEntry.objects.count(), latest_day()) == (entries, day)


def test_a_processor_that_sent_nothing_yet_misses_nothing():
    assert DAYS is not None
    folder = DAYS / "broken-300"
    call_command("load_config", "docs/examples/days.toml", verbosity=0)
    call_command("import_payments", str(folder / "payments.csv"))
    call_command("import_statement", "--source", "spay", str(folder / "psp_spay.csv"))

    run = reconcile()

    assert not run.opened.filter(source__code="adyn").exists()
