"""The beginning of a reference counts if only one payment there is has it, settled or not."""

from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest
from django.db import transaction

from payments.models import Payment
from reconciliation.explanations import explain_open_item
from reconciliation.models import Discrepancy, Match, StatementLine
from reconciliation.selectors import tie_outs
from reconciliation.services.runs import reconcile
from tests.factories import (
    MerchantFactory,
    SucceededPaymentFactory,
    SucceededRefundFactory,
    eur,
)
from tests.support.reports import charge, load, report

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books")]


@pytest.fixture
def settled(processor) -> Payment:
    return SucceededPaymentFactory(money=eur("100.00"), reference="ORDER-00010002")


def waiting_for(merchant: Any, reference: str = "ORDER-00010003") -> Payment:
    return SucceededPaymentFactory(merchant=merchant, money=eur("100.00"), reference=reference)


def cut(payment: Payment, name: str = "txn_2", to: str = "ORDER-000100", **more: Any) -> Any:
    return charge(payment, name, **{"payment_metadata[reference]": to}, **more)


def reconciled(processor, *rows: Any, name: str = "file") -> None:
    """Long after everything was due."""
    load(processor, report(*rows), name=name)
    day = Payment.objects.latest("pk").settlement_due_on + timedelta(days=9)
    reconcile(as_of=day)
    assert not any(proof.difference for proof in tie_outs(day))


def matched() -> dict[str, str]:
    rows = Match.objects.values_list("line__external_id", "payment__reference")
    return dict(rows)


def opened() -> list[tuple[str, str]]:
    rows = Discrepancy.objects.filter(status__in=Discrepancy.UNSETTLED)
    return list(rows.order_by("type", "reference").values_list("type", "reference"))


@pytest.mark.parametrize("in_two_runs", [True, False])
def test_what_a_settled_payment_begins_with_too_is_not_guessed(processor, settled, in_two_runs):
    waiting = waiting_for(settled.merchant)
    rows = [charge(settled, "txn_1"), cut(waiting)]

    if in_two_runs:
        load(processor, report(rows.pop(0)))
        reconcile(as_of=settled.effective_at.date())
    reconciled(processor, *rows)
    reconcile()

    # Neither the payment of one nor a repetition of the other, and nothing is missing for certain.
    assert matched() == {"txn_1": "ORDER-00010002"}
    assert opened() == [("settlement_pending", "ORDER-00010003")] * in_two_runs
    line = StatementLine.objects.get(external_id="txn_2")
    assert [(each.reference, each.reasons) for each in explain_open_item(line)] == [
        ("ORDER-00010002", ("matched",)),
        ("ORDER-00010003", ("ambiguous",)),
    ]


def test_the_order_of_files_changes_nothing(processor, settled):
    waiting = waiting_for(settled.merchant)
    rows = {"a": charge(settled, "txn_1"), "b": cut(waiting)}
    hashes = set()
    for order in permutations(rows):
        with transaction.atomic():
            for name in order:
                load(processor, report(rows[name]), name=name)
            hashes.add(reconcile().result_hash)
            transaction.set_rollback(True)

    assert len(hashes) == 1


@pytest.mark.parametrize("written", ["order 000100", "ORDER0001000 ", "ORDER-000100/"])
def test_however_the_beginning_is_written(processor, settled, written):
    waiting = waiting_for(settled.merchant)

    reconciled(processor, charge(settled, "txn_1"), cut(waiting, to=written))

    assert (matched(), opened()) == ({"txn_1": "ORDER-00010002"}, [])


def test_the_only_one_that_begins_so_matches(processor, settled):
    waiting = waiting_for(settled.merchant, "ORDER-00020003")

    reconciled(processor, charge(settled, "txn_1"), cut(waiting, to="ORDER-000200"))

    assert matched() == {"txn_1": "ORDER-00010002", "txn_2": "ORDER-00020003"}
    assert opened() == []


def test_payments_of_another_merchant_than_the_line_names_are_not_meant(processor, settled):
    waiting = waiting_for(MerchantFactory())

    reconciled(processor, charge(settled, "txn_1"), cut(waiting))

    assert matched() == {"txn_1": "ORDER-00010002", "txn_2": "ORDER-00010003"}


def test_a_whole_reference_is_none_that_was_cut(processor, settled):
    longer = waiting_for(settled.merchant, "ORDER-000100029")

    reconciled(processor, cut(settled, "txn_1", to="order-00010002"))

    assert matched() == {"txn_1": "ORDER-00010002"}
    assert opened() == [("missing_settlement", longer.reference)]


def test_refunds_are_not_guessed_either(processor, settled):
    first, second = (
        SucceededRefundFactory(payment=settled, money=eur("10.00"), reference=f"REFUND-0001000{n}")
        for n in (1, 2)
    )
    row = charge(second, "txn_3", **{"refund_metadata[reference]": "REFUND-000100"})

    reconciled(processor, charge(settled, "txn_1"), charge(first, "txn_2"), row)

    assert Match.objects.get(kind="refund").refund == first
    assert opened() == []
