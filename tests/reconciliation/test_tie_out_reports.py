"""The tie-out report: its figures are the ledger's, and what it said it says again."""

import csv
import json
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from openpyxl import load_workbook

from ledger.models import Account
from ledger.money import Money
from ledger.selectors import balance_of, trial_balance
from reconciliation.days import end_of
from reconciliation.fee_groups import fee_group_of
from reconciliation.models import Discrepancy, Match, SourceAccount, UndoneMatch
from reconciliation.reports import canonical, known_horizon, tie_out_report
from reconciliation.selectors import tie_out, tie_outs
from reconciliation.services.runs import reconcile
from tests.factories import SucceededPaymentFactory, eur
from tests.support.reports import (
    DAY,
    bank_of,
    charge,
    load,
    payout_row,
    report,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books")]


@pytest.fixture
def day(sources):
    """Two payouts, one of them arrived; a bank line nobody knows; reconciled."""
    processor, bank = sources
    load(processor, report(payout_row("po_000001", "98.35"), payout_row("po_000002", "10.00")))
    simulated = bank_of()
    simulated.book(eur("98.35"), counterparty="SIM PAYMENTS", text="PAYOUT po_000001")
    simulated.book(eur("-7.00"), counterparty="=SOMEBODY", text="Charges")
    load(bank, simulated.statement())
    reconcile(as_of=DAY)
    return sources


def account_of(source) -> SourceAccount:
    return SourceAccount.objects.select_related("source").get(source=source)


def reported(source, *, day=DAY, known_at=None):
    return tie_out_report(account_of(source), day=day, known_at=known_at or known_horizon())


def test_report_of_a_bank_has_the_figures_of_the_ledger(day):
    _, bank = day
    found = reported(bank)

    book = Account.objects.get(code="bank:DE02120300000000202051:EUR")
    assert (found["book"], found["statement"]) == (balance_of(book).text, "1091.35")
    assert (found["book"], found["open"], found["difference"]) == ("1098.35", "7.00", "0.00")
    (item,) = found["open_items"]
    assert (item["types"], item["effect"], item["age_days"]) == (
        ["unexplained_bank_line"],
        "7.00",
        0,
    )
    assert found["control_totals"]["lines"] == {
        "count": 2,
        "credits": "98.35",
        "debits": "7.00",
        "gross": "91.35",
        "fee": "0.00",
        "net": "91.35",
    }
    (statement,) = found["control_totals"]["statements"]
    assert (statement["opening"], statement["net"], statement["closing"]) == (
        "1000.00",
        "91.35",
        "1091.35",
    )


def test_trial_balance_is_the_ledgers(day):
    end = end_of(DAY, account_of(day[0]).source.time_zone) - timedelta(microseconds=1)
    found = reported(day[0])["trial_balance"]

    (row,) = [row for row in trial_balance(as_of=end) if row.currency == "EUR"]
    assert (found["debits"], found["credits"]) == (row.debits.text, row.credits.text)
    assert sum(each["accounts"] for each in found["accounts"]) == row.accounts
    assert sum(Money.of(each["debits"], "EUR").amount for each in found["accounts"]) == (
        row.debits.amount
    )


def test_accounts_of_merchants_are_one_line_of_the_trial_balance(sources):
    first, second = SucceededPaymentFactory(), SucceededPaymentFactory()
    on = max(first.effective_at, second.effective_at).date()
    load(sources[0], report(charge(first, "txn_1")))

    found = reported(sources[0], day=on)["trial_balance"]["accounts"]

    (payable,) = [row for row in found if row["account"].endswith("payable:EUR")]
    assert (payable["account"], payable["accounts"]) == ("merchant:*:payable:EUR", 2)


def test_sub_ledger_of_deposits_lists_what_did_not_arrive(day):
    for source in day:
        (ledger,) = reported(source)["sub_ledgers"]

        assert ledger["account"] == "deposits:in_transit:sim:EUR"
        assert ledger["balance"] == ledger["sum"] == "10.00"
        (item,) = ledger["items"]
        assert (item["name"], item["amount"]) == ("po_000002", "10.00")
        assert (item["since"], item["due_on"]) == (DAY.isoformat(), DAY.isoformat())


def test_discrepancies_roll_forward_from_day_to_day(day):
    _, bank = day
    next_day = DAY + timedelta(days=1)
    simulated = bank_of(next_day)
    simulated.book(eur("10.00"), counterparty="SIM PAYMENTS", text="PAYOUT po_000002")
    load(bank, simulated.statement())
    reconcile(as_of=next_day)

    first, second = reported(bank), reported(bank, day=next_day)
    steps = ("opening", "new", "resolved", "closing")

    def counts(found):
        return {
            row["type"]: [(row[step]["count"], row[step]["amount"]) for step in steps]
            for row in found["roll_forward"]["types"]
        }

    none = (0, "0.00")
    assert first["roll_forward"]["previous_day"] == ""
    assert second["roll_forward"]["previous_day"] == DAY.isoformat()
    assert counts(first)["deposit_missing"] == [none, (1, "10.00"), none, (1, "10.00")]
    assert counts(second) == {
        "deposit_missing": [(1, "10.00"), none, (1, "10.00"), none],
        "unexplained_bank_line": [(1, "-7.00"), none, none, (1, "-7.00")],
    }


def test_every_figure_is_the_one_of_the_tie_out(day):
    for proof in tie_outs(DAY):
        found = reported(proof.account.source)
        assert (found["book"], found["statement"], found["open"], found["difference"]) == (
            proof.book.text,
            proof.statement.text,
            proof.open.text,
            proof.difference.text,
        )
        assert [(item["name"], item["effect"]) for item in found["open_items"]] == [
            (item.name, item.effect.text) for item in proof.open_items
        ]


def test_closing_balance_that_does_not_add_up_is_an_open_item(sources):
    _, bank = sources
    load(bank, bank_of().statement())
    load(bank, bank_of(DAY + timedelta(days=1), opening="990.00").statement())
    day = DAY + timedelta(days=1)

    found, proof = reported(bank, day=day), tie_out(account_of(bank), day=day)

    assert (found["statement"], found["difference"]) == ("990.00", "0.00")
    assert [(item["name"], item["effect"]) for item in found["open_items"]] == [
        (item.name, item.effect.text) for item in proof.open_items
    ]
    assert found["open_items"][0]["effect"] == "10.00"


def test_what_came_later_is_not_in_what_was_known(day):
    processor, bank = day
    known_at = known_horizon()
    before = [canonical(reported(source, known_at=known_at)) for source in day]

    load(processor, report(payout_row("po_000003", "5.00")), name="late")
    earlier = bank_of(DAY - timedelta(days=1), opening="808.65")
    earlier.book(eur("100.00"), counterparty="X", text="Late file")
    load(bank, earlier.statement())
    reconcile(as_of=DAY)

    assert [canonical(reported(source, known_at=known_at)) for source in day] == before
    assert [canonical(reported(source)) for source in day] != before


def test_what_was_undone_later_is_in_what_was_known(sources):
    processor, _ = sources
    payment = SucceededPaymentFactory()
    load(processor, report(charge(payment, "txn_1", gross="99.00", customer_facing_amount="99.00")))
    on = payment.effective_at.date()
    reconcile(as_of=max(on, payment.settlement_due_on))
    on = max(on, payment.settlement_due_on)
    known_at = known_horizon()
    before = reported(processor, day=on, known_at=known_at)
    assert before["open_items"][0]["types"] == ["amount_mismatch"]

    match = Match.objects.get()
    UndoneMatch.objects.create(
        kind="payment",
        subject_id=payment.pk,
        line=match.line,
        amount=match.amount,
        rule=match.rule,
        rule_version=match.rule_version,
        evidence={},
        matched_at=match.created_at,
        match_number=match.pk,
        fee_group=fee_group_of(match),
        undone_by="user:clerk",
        reason="Wrong.",
        undone_at=known_at + timedelta(seconds=1),
    )
    match.delete()

    assert reported(processor, day=on, known_at=known_at) == before
    assert reported(processor, day=on, known_at=known_at + timedelta(seconds=2)) != before


def test_line_that_several_matches_share_counts_once(sources):
    """Each match with its part, and what is left of the line by itself."""
    processor, _ = sources
    first, second = SucceededPaymentFactory(), SucceededPaymentFactory()
    load(processor, report(charge(first, "txn_1", gross="198.35", fee="0.00")))
    on = max(first.settlement_due_on, second.settlement_due_on)
    run = reconcile(as_of=on)
    line = Match.objects.get().line
    Match.objects.update(amount=98_35)
    Match.objects.create(
        run=run,
        kind="payment",
        payment=second,
        rule="manual",
        rule_version=1,
        evidence={},
        line=line,
        amount=99_00,
    )

    found = reported(processor, day=on)

    assert (found["book"], found["statement"]) == ("200.00", "198.35")
    assert (found["open"], found["difference"]) == ("1.65", "0.00")
    assert {item["matter"]: item["effect"] for item in found["open_items"]} == {
        first.public_id: "1.65",
        second.public_id: "1.00",
        line.public_id: "-1.00",
    }


def test_figures_of_the_content_are_texts(day):
    content = canonical(reported(day[1]))

    def refuse(number):
        raise AssertionError(number)

    assert canonical(json.loads(content, parse_float=refuse)) == content
    assert Discrepancy.objects.exists()


def test_report_as_files(day, tmp_path):
    for kind in ("csv", "xlsx", "html", "json"):
        call_command(
            "tieout", "--date", str(DAY), "--format", kind, "-o", str(tmp_path / f"t.{kind}")
        )

    found = reported(day[1])
    with (tmp_path / "t.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["source"] == "bank"]
    (open_item,) = [row for row in rows if row["section"] == "open_item"]
    assert (open_item["name"], open_item["amount"]) == (found["open_items"][0]["name"], "7.00")
    (book,) = [row for row in rows if (row["section"], row["name"]) == ("tie_out", "book")]
    assert book["amount"] == "1098.35"
    sheets = load_workbook(tmp_path / "t.xlsx")
    assert "open_item" in {row[4] for row in sheets.active.values}
    page = (tmp_path / "t.html").read_text()
    assert "1098.35" in page
    assert "http" not in page
    assert "<script" not in page
    listed = json.loads((tmp_path / "t.json").read_text())
    assert [each["source"] for each in listed] == ["bank", "sim"]


def test_texts_of_others_are_no_formulas_in_files(sources, tmp_path):
    payment = SucceededPaymentFactory(reference="=cmd|' /C calc'!A0")
    load(sources[0], report(payout_row("po_000001", "1.00")))
    day = payment.effective_at.date()
    for kind in ("csv", "xlsx"):
        call_command(
            "tieout", "--date", str(day), "--format", kind, "-o", str(tmp_path / f"t.{kind}")
        )

    assert "\n=" not in (tmp_path / "t.csv").read_text()
    assert ",'=cmd" in (tmp_path / "t.csv").read_text()
    cells = {cell for row in load_workbook(tmp_path / "t.xlsx").active.values for cell in row}
    assert "'=cmd|' /C calc'!A0" in cells


def test_format_and_file_go_together(day):
    with pytest.raises(CommandError, match="--output"):
        call_command("tieout", "--format", "csv")
