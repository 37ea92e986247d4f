"""Why something matched and why something else did not."""

import pytest

from ledger.actors import Actor
from payments.services.processing import process_payments
from reconciliation.explanations import (
    REASONS,
    Candidate,
    Compared,
    explain_match,
    explain_open_item,
)
from reconciliation.models import Match, StatementLine
from reconciliation.services.runs import reconcile
from reconciliation.services.undone_matches import undo_match
from tests.factories import PaymentFactory, SucceededPaymentFactory, eur
from tests.support.reports import DAY, bank_of, charge, load, payout_row, report

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books")]

ANN = Actor("user", "1", "ann@example.com")


def line(name: str) -> StatementLine:
    return StatementLine.objects.get(external_id=name)


def named(reference: str) -> dict[str, str]:
    return {"payment_metadata[reference]": reference}


def why(item: object) -> list[tuple[str, str, tuple[str, ...]]]:
    found = explain_open_item(item)  # type: ignore[arg-type]
    assert found == explain_open_item(item)  # type: ignore[arg-type]
    assert all(reason in REASONS for each in found for reason in each.reasons)
    return [(each.reference, each.evidence, each.reasons) for each in found]


def test_a_match_says_its_rule_and_compares_both_sides(sources):
    payment = SucceededPaymentFactory(money=eur("100.00"), reference="ORDER-0001")
    load(sources[0], report(charge(payment, "txn_1", fee="2.00", **named("order 0001"))))
    reconcile()

    explained = explain_match(Match.objects.get())

    assert (explained.rule, explained.version) == ("normalised_reference", 1)
    due = str(payment.settlement_due_on)
    assert explained.compared == (
        Compared("reference", "ORDER-0001", "order 0001"),
        Compared("merchant", payment.merchant.code, payment.merchant.code),
        Compared("amount", "100.00 EUR", "100.00 EUR"),
        Compared("fee", "1.65 EUR", "2.00 EUR"),
        Compared("due", due, due),
    )
    assert [each.is_equal for each in explained.compared] == [False, True, True, False, True]


def test_a_deposit_compares_the_id_and_the_amount(sources):
    load(sources[0], report(payout_row("po_000001", "98.35")))
    bank = bank_of()
    bank.book(eur("98.00"), counterparty="SIM PAYMENTS", text="PAYOUT po_000001")
    load(sources[1], bank.statement())
    reconcile(as_of=DAY)

    name, amount = explain_match(Match.objects.get()).compared

    assert (name.ours, "po_000001" in name.theirs) == ("po_000001", True)
    assert (amount.ours, amount.theirs) == ("98.35 EUR", "98.00 EUR")


def test_an_orphan_names_what_fits_by_amount_and_why_that_is_not_enough(sources):
    payment = SucceededPaymentFactory(money=eur("100.00"), reference="ORDER-0001")
    load(sources[0], report(charge(payment, "txn_1", **named("PHONE-77"))))
    reconcile()

    assert why(line("txn_1")) == [("ORDER-0001", "amount", ("reference_differs",))]
    (candidate,) = explain_open_item(payment)
    assert candidate == Candidate(
        line=line("txn_1").public_id,
        kind="payment",
        subject=payment.public_id,
        reference="ORDER-0001",
        evidence="amount",
        reasons=("reference_differs",),
    )


def test_a_tie_names_all_that_fit(sources):
    first = SucceededPaymentFactory(money=eur("100.00"), reference="ORDER-00010002")
    SucceededPaymentFactory(merchant=first.merchant, money=eur("9.00"), reference="ORDER-00010003")
    load(sources[0], report(charge(first, "txn_1", **named("ORDER-000100"))))
    reconcile()

    assert why(line("txn_1")) == [
        ("ORDER-00010002", "truncated_reference", ("ambiguous",)),
        ("ORDER-00010003", "truncated_reference", ("ambiguous",)),
    ]


def test_what_is_matched_undone_not_final_or_anothers_is_no_candidate(sources):
    paid = SucceededPaymentFactory(money=eur("100.00"), reference="ORDER-0001")
    other = SucceededPaymentFactory(money=eur("70.00"), reference="ORDER-0003")
    failed = PaymentFactory(
        merchant=paid.merchant, money=eur("30.00"), reference="ORDER-0002", source="tok_declined"
    )
    process_payments()
    failed.refresh_from_db()
    rows = [
        charge(paid, "txn_1"),
        charge(paid, "txn_2"),
        charge(paid, "txn_3", **named("ORDER-0002"), gross="30.00"),
        charge(paid, "txn_4", **named("ORDER-0003"), gross="70.00"),
    ]
    load(sources[0], report(*rows))
    reconcile()

    assert ("ORDER-0001", "exact_reference", ("matched",)) in why(line("txn_2"))
    assert ("ORDER-0002", "exact_reference", ("not_final",)) in why(line("txn_3"))
    assert ("ORDER-0003", "exact_reference", ("other_merchant",)) in why(line("txn_4"))
    assert other.merchant != paid.merchant

    undo_match(Match.objects.get(), reason="Wrong.", actor=ANN)
    assert why(line("txn_1"))[0] == ("ORDER-0001", "exact_reference", ("undone",))
    assert why(line("txn_2"))[0] == ("ORDER-0001", "exact_reference", ())
    reconcile()
    assert Match.objects.get().line == line("txn_2")
