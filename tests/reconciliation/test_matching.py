"""What a run matches, what it opens, and what it posts: small reports with exact figures."""

import pytest

from ledger.models import Account, JournalEntry
from ledger.money import Money
from reconciliation.fee_groups import fee_group_of
from reconciliation.models import Discrepancy, Match
from reconciliation.selectors import tie_outs
from reconciliation.services.runs import reconcile
from tests.factories import SucceededPaymentFactory, SucceededRefundFactory, eur
from tests.support.reports import charge, load, report

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books")]


def opened() -> list[tuple[str, str]]:
    return sorted(Discrepancy.objects.filter(status="OPEN").values_list("type", "reference"))


def reconciled(source, *rows, as_of=None):
    load(source, report(*rows))
    return reconcile(as_of=as_of)


def test_a_line_with_the_reference_matches_and_its_fee_is_posted(sources):
    payment = SucceededPaymentFactory(money=eur("100.00"), reference="ORDER-0001")

    reconciled(sources[0], charge(payment, "txn_1"))

    match = Match.objects.get()
    assert (match.payment, match.rule) == (payment, "exact_reference")
    assert match.evidence == {"reported": "ORDER-0001", "merchant": payment.merchant.code}
    assert opened() == []
    fee = JournalEntry.objects.get(kind="processor_fees")
    assert fee_group_of(match).public_id == fee.reference
    expense = Account.objects.get(code="expense:processing:EUR")
    assert expense.balance.money == Money(165, "EUR")


def gross(amount: str) -> dict[str, str]:
    return {"gross": amount, "customer_facing_amount": amount}


@pytest.mark.parametrize(
    ("_case", "changes", "expected"),
    [
        (
            "one cent less",
            {"gross": "99.99", "customer_facing_amount": "99.99"},
            "rounding_difference",
        ),
        ("less", {"gross": "98.00", "customer_facing_amount": "98.00"}, "amount_mismatch"),
        ("negative", {"gross": "-100.00", "customer_facing_amount": "-100.00"}, "wrong_sign"),
        ("in dollars", {"currency": "usd", "customer_facing_currency": "usd"}, "currency_mismatch"),
        ("a higher fee", {"fee": "1.66"}, "fee_mismatch"),
        ("wrong gross hides the fee", gross("98.00") | {"fee": "9.00"}, "amount_mismatch"),
        ("late", {"available_on_utc": "2030-01-01 00:00:00"}, "late_settlement"),
    ],
)
def test_a_difference_is_found_and_still_matches(sources, _case, changes, expected):
    payment = SucceededPaymentFactory(money=eur("100.00"), reference="ORDER-0001")

    reconciled(sources[0], charge(payment, "txn_1", **changes))

    assert opened() == [(expected, "ORDER-0001")]
    assert Match.objects.filter(payment=payment).exists()
    assert not any(proof.difference for proof in tie_outs(reconcile().as_of))


@pytest.mark.parametrize(
    ("reported", "rule"),
    [
        ("order-00010002", "normalised_reference"),
        ("ORDER 0001-0002", "normalised_reference"),
        ("INV:ORDER-00010002/EU", "reference_in_text"),
        ("Payment for your order ORDER-00010002 - thank you", "reference_in_text"),
        ("ORDER-000100", "truncated_reference"),
        ("INVORDER-00010002", "prefixed_reference"),
        ("INV-ORDER-0001 0002 thank you", "reference_in_text"),
    ],
)
def test_a_retyped_reference_is_recognised(sources, reported, rule):
    payment = SucceededPaymentFactory(money=eur("100.00"), reference="ORDER-00010002")

    reconciled(sources[0], charge(payment, "txn_1", **{"payment_metadata[reference]": reported}))

    assert Match.objects.get().rule == rule
    assert opened() == []


def test_a_truncated_reference_that_fits_two_payments_is_left_open(sources):
    first = SucceededPaymentFactory(money=eur("100.00"), reference="ORDER-00010002")
    SucceededPaymentFactory(
        merchant=first.merchant, money=eur("100.00"), reference="ORDER-00010003"
    )

    reconciled(
        sources[0], charge(first, "txn_1", **{"payment_metadata[reference]": "ORDER-000100"})
    )

    assert not Match.objects.exists()
    assert opened() == []


def test_an_unknown_reference_is_an_orphan_however_well_the_amount_fits(sources):
    payment = SucceededPaymentFactory(money=eur("100.00"), reference="ORDER-00010002")

    reconciled(
        sources[0], charge(payment, "txn_1", **{"payment_metadata[reference]": "ORDER-99999999"})
    )

    assert not Match.objects.exists()
    assert opened() == [("missing_settlement", "ORDER-00010002"), ("orphan_line", "txn_1")]


def test_the_second_line_for_a_payment_is_a_duplicate_in_the_same_and_in_a_later_file(sources):
    payment = SucceededPaymentFactory(money=eur("100.00"), reference="ORDER-0001")

    reconciled(sources[0], charge(payment, "txn_1"), charge(payment, "txn_2"))
    reconciled(sources[0], charge(payment, "txn_3"))

    assert Match.objects.get().line.external_id == "txn_1"
    assert opened() == [("duplicate_line", "txn_2"), ("duplicate_line", "txn_3")]


SPELLINGS = ["ORDER-000100", "order 00010002", "see ORDER-00010002!", "INVORDER-00010002"]


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_the_first_line_matches_whichever_of_them_is_retyped(sources, spelling):
    payment = SucceededPaymentFactory(money=eur("100.00"), reference="ORDER-00010002")
    retyped = {"payment_metadata[reference]": spelling}

    reconciled(sources[0], charge(payment, "txn_1", **retyped), charge(payment, "txn_2"))
    reconcile()

    assert Match.objects.get().line.external_id == "txn_1"
    assert opened() == [("duplicate_line", "txn_2")]


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_retyped_second_line_is_a_duplicate_and_stays_one(sources, spelling):
    payment = SucceededPaymentFactory(money=eur("100.00"), reference="ORDER-00010002")
    retyped = {"payment_metadata[reference]": spelling}

    reconciled(sources[0], charge(payment, "txn_1"), charge(payment, "txn_2", **retyped))
    reconcile()
    reconciled(sources[0], charge(payment, "txn_3", **retyped))

    assert Match.objects.get().line.external_id == "txn_1"
    assert opened() == [("duplicate_line", "txn_2"), ("duplicate_line", "txn_3")]


def test_a_retyped_first_line_is_judged_though_a_later_one_agrees_in_everything(sources):
    payment = SucceededPaymentFactory(money=eur("100.00"), reference="ORDER-00010002")
    retyped = {"payment_metadata[reference]": "order 00010002"}

    reconciled(
        sources[0], charge(payment, "txn_1", **retyped, **gross("98.00")), charge(payment, "txn_2")
    )

    match = Match.objects.get()
    assert (match.line.external_id, match.rule) == ("txn_1", "normalised_reference")
    assert opened() == [("amount_mismatch", "ORDER-00010002"), ("duplicate_line", "txn_2")]


def test_a_line_that_names_nobody_is_the_one_payment_of_its_reference_that_is_open(sources):
    settled = SucceededPaymentFactory(money=eur("100.00"), reference="SHARED-0001")
    waiting = SucceededPaymentFactory(money=eur("100.00"), reference="SHARED-0001")
    reconciled(sources[0], charge(settled, "txn_1"))

    reconciled(sources[0], charge(waiting, "txn_2", connected_account=""))

    assert Match.objects.get(payment=waiting).line.external_id == "txn_2"
    assert opened() == []


def test_what_two_lines_may_be_about_is_no_exact_pair_of_the_line_that_names_its_merchant(sources):
    named = SucceededPaymentFactory(money=eur("100.00"), reference="SHARED-0001")
    other = SucceededPaymentFactory(money=eur("100.00"), reference="SHARED-0001")

    reconciled(sources[0], charge(named, "txn_1", connected_account=""), charge(named, "txn_2"))

    found = Match.objects.values_list("line__external_id", "payment", "rule")
    assert sorted(found) == [
        ("txn_1", other.pk, "normalised_reference"),
        ("txn_2", named.pk, "exact_reference"),
    ]


def test_lines_that_came_before_their_payment_find_it_later(sources):
    payment = SucceededPaymentFactory(money=eur("100.00"), reference="ORDER-0001")
    stranger = {"payment_metadata[reference]": "LATER-0001"}
    reconciled(
        sources[0], charge(payment, "txn_1", **stranger), charge(payment, "txn_2", **stranger)
    )
    assert [kind for kind, _ in opened()] == ["missing_settlement", "orphan_line", "orphan_line"]

    SucceededPaymentFactory(merchant=payment.merchant, money=eur("100.00"), reference="LATER-0001")
    reconcile()

    assert opened() == [("duplicate_line", "txn_2"), ("missing_settlement", "ORDER-0001")]


def test_equal_references_belong_to_the_merchant_the_line_names(sources):
    ours = SucceededPaymentFactory(money=eur("10.00"), reference="ORDER-0001")
    theirs = SucceededPaymentFactory(money=eur("20.00"), reference="ORDER-0001")
    dispute = charge(
        theirs,
        "txn_3",
        reporting_category="dispute",
        gross="-20.00",
        fee="15.00",
        customer_facing_amount="-20.00",
    )

    reconciled(sources[0], charge(ours, "txn_1"))
    reconciled(sources[0], charge(ours, "txn_2"))
    assert ("duplicate_line", "txn_2") in opened()
    assert Match.objects.get().payment == ours

    reconciled(sources[0], charge(theirs, "txn_4"), dispute)
    assert Match.objects.get(payment=theirs).line.external_id == "txn_4"
    assert theirs.disputes.count() == 1
    assert opened() == [("duplicate_line", "txn_2")]


def test_the_same_line_id_in_another_payout_is_a_second_report_of_it(sources):
    payment = SucceededPaymentFactory(money=eur("100.00"), reference="ORDER-0001")

    reconciled(sources[0], charge(payment, "txn_1"))
    file = load(sources[0], report(charge(payment, "txn_1", automatic_payout_id="po_2")))
    reconcile()

    assert file.known_count == 0
    assert opened() == [("duplicate_line", "txn_1")]


def test_an_expected_fee_of_zero_is_an_expectation(sources):
    payment = SucceededPaymentFactory(money=eur("100.00"), reference="ORDER-0001")
    refund = SucceededRefundFactory(payment=payment, money=eur("10.00"), reference="REFUND-0001")

    reconciled(sources[0], charge(payment, "txn_1"), charge(refund, "txn_2", fee="0.30"))

    assert opened() == [("fee_mismatch", "REFUND-0001")]


def test_the_same_line_id_twice_in_a_file_is_a_duplicate_and_in_another_file_is_not(sources):
    payment = SucceededPaymentFactory(money=eur("100.00"), reference="ORDER-0001")
    other = SucceededPaymentFactory(
        merchant=payment.merchant, money=eur("5.00"), reference="ORDER-0002"
    )

    reconciled(sources[0], charge(payment, "txn_1"), charge(payment, "txn_1"))
    again = load(sources[0], report(charge(payment, "txn_1"), charge(other, "txn_2")))
    reconcile()

    assert (again.line_count, again.known_count) == (2, 1)
    assert opened() == [("duplicate_line", "txn_1")]


def test_what_was_due_and_did_not_come_is_missing_until_it_comes(sources):
    payment = SucceededPaymentFactory(money=eur("100.00"), reference="ORDER-0001")
    refund = SucceededRefundFactory(payment=payment, money=eur("10.00"), reference="REFUND-0001")
    other = SucceededPaymentFactory(merchant=payment.merchant, money=eur("5.00"), reference="O-2")
    due = payment.settlement_due_on

    reconciled(sources[0], charge(other, "txn_9"), as_of=due)
    assert ("missing_settlement", "ORDER-0001") in opened()
    assert ("refund_not_in_settlement", "REFUND-0001") in opened()

    reconciled(sources[0], charge(payment, "txn_1"), charge(refund, "txn_2"), as_of=due)

    still_open = Discrepancy.objects.filter(status="OPEN", payment=payment)
    assert not still_open.exists()
    resolved = Discrepancy.objects.get(type="missing_settlement", reference="ORDER-0001")
    assert resolved.resolved_by is not None


def test_nothing_is_missing_before_it_is_due_or_before_the_processor_reported(sources):
    payment = SucceededPaymentFactory(money=eur("100.00"), reference="ORDER-0001")
    other = SucceededPaymentFactory(merchant=payment.merchant, money=eur("5.00"), reference="O-2")

    reconcile(as_of=payment.settlement_due_on)  # no file of this processor yet
    assert opened() == []

    reconciled(sources[0], charge(other, "txn_9"), as_of=payment.effective_at.date())
    assert opened() == [("settlement_pending", "ORDER-0001")]


def test_running_again_finds_nothing_new(sources):
    payment = SucceededPaymentFactory(money=eur("100.00"), reference="ORDER-0001")
    first = reconciled(sources[0], charge(payment, "txn_1", fee="2.00"))
    entries = JournalEntry.objects.count()

    second = reconcile()

    assert (first.match_count, first.discrepancy_count) == (1, 1)
    assert (second.match_count, second.discrepancy_count) == (0, 0)
    assert JournalEntry.objects.count() == entries


def test_a_dispute_line_opens_the_dispute_posts_it_and_matches(sources):
    payment = SucceededPaymentFactory(money=eur("100.00"), reference="ORDER-0001")
    dispute = charge(
        payment,
        "txn_2",
        reporting_category="dispute",
        gross="-100.00",
        fee="15.00",
        customer_facing_amount="-100.00",
    )

    reconciled(sources[0], charge(payment, "txn_1"), dispute)

    opened_dispute = payment.disputes.get()
    assert opened_dispute.money == eur("100.00")
    assert Match.objects.get(kind="dispute").dispute == opened_dispute
    assert opened() == []
    clearing = Account.objects.get(code="clearing:sim:EUR")
    # 100.00 - 1.65 (fee) - 100.00 - 15.00 (the processor's dispute fee)
    assert clearing.balance.money == eur("-16.65")


def test_a_dispute_finds_its_payment_by_a_retyped_reference(sources):
    payment = SucceededPaymentFactory(money=eur("100.00"), reference="ORDER-0001")
    retyped = charge(
        payment,
        "txn_2",
        reporting_category="dispute",
        gross="-100.00",
        customer_facing_amount="-100.00",
        **{"payment_metadata[reference]": "chargeback of order 0001"},
    )

    reconciled(sources[0], charge(payment, "txn_1"), retyped)

    assert payment.disputes.count() == 1
    assert opened() == []
