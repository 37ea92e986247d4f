"""Fees of many matches are one entry by account and day, which leads to each of them."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.db import transaction
from django.urls import reverse

from ledger.models import JournalEntry
from ledger.money import Money
from reconciliation.fee_groups import entry_of, fee_group_of, matches_in
from reconciliation.invariants import wrong_fees
from reconciliation.models import FeeGroup, UndoneMatch
from reconciliation.open_amounts import open_amounts
from reconciliation.selectors import tie_outs
from reconciliation.services import booking
from reconciliation.services.runs import reconcile
from reconciliation.services.undone_matches import undo_match
from tests.factories import (
    SucceededPaymentFactory,
    SucceededRefundFactory,
    eur,
)
from tests.support.books import t_accounts
from tests.support.breaches import forge
from tests.support.fee_groups import (
    DAY,
    NEXT,
    WHY,
    all_is_proved,
    expense,
    fees,
    match_of,
    payments,
    reconciled,
)
from tests.support.refusals import refused_by
from tests.support.reports import charge, load, report

__all__ = ["all_is_proved"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books")]


def test_fees_are_summed_by_day_and_currency_and_matches_lead_there_and_back(processor):
    paid = payments(4)
    paid.append(
        SucceededPaymentFactory(
            merchant=paid[0].merchant, money=Money(50_00, "USD"), reference="ORDER-USD"
        )
    )

    run = reconciled(
        processor,
        paid,
        {},
        {"fee": "2.00"},
        {"created_utc": NEXT},
        {"fee": "0.00"},
    )

    first, second, dollars = FeeGroup.objects.order_by("source_account__currency", "booked_on")
    assert [
        (group.run, str(group.booked_on), group.match_count, str(group.money))
        for group in (first, second, dollars)
    ] == [
        (run, "2026-03-18", 2, "3.65 EUR"),
        (run, "2026-03-19", 1, "1.65 EUR"),
        (run, "2026-03-18", 1, "0.95 USD"),
    ]
    assert t_accounts(first.public_id) == fees(("charged", 3_65))
    assert t_accounts(second.public_id) == fees(("charged", 1_65))
    entry = entry_of(first)
    assert (entry.kind, entry.effective_at) == (
        "processor_fees",
        datetime(2026, 3, 18, tzinfo=UTC),
    )
    assert set(matches_in(first)) == {match_of("txn_0"), match_of("txn_1")}
    assert [fee_group_of(match_of(f"txn_{n}")) for n in range(5)] == [
        *(first, first, second, None, dollars)
    ]


def test_fees_given_back_are_lines_of_their_own_even_if_nothing_is_left(processor):
    (paid,) = payments(1)
    refund = SucceededRefundFactory(payment=paid, money=eur("10.00"), reference="REFUND-1")
    rows = [
        charge(paid, "txn_0", created_utc=DAY),
        charge(refund, "txn_1", created_utc=DAY, fee="-1.65"),
    ]
    load(processor, report(*rows))

    reconcile()

    group = FeeGroup.objects.get()
    assert (group.match_count, group.charged, group.given_back) == (2, 1_65, 1_65)
    assert t_accounts(group.public_id) == fees(("charged", 1_65), ("given_back", 1_65))
    assert expense() == "0.00"

    undo_match(match_of("txn_1"), **WHY)
    assert expense() == "1.65"
    assert t_accounts(refund.public_id)[-2:] == fees(("charged", 1_65))


def test_what_is_still_open_of_a_payment_counts_its_fee_in_the_group(processor):
    paid = payments(2)
    short = {"gross": "98.00", "customer_facing_amount": "98.00"}

    reconciled(processor, paid, short)

    (found,) = paid[0].discrepancies.all()
    (open_amount,) = open_amounts(found)
    assert (open_amount.reference, open_amount.effect) == (paid[0].public_id, eur("2.00"))
    undo_match(match_of("txn_0"), **WHY)
    missing = paid[0].discrepancies.filter(status="OPEN")
    assert [each.effect for one in missing for each in open_amounts(one)] == [eur("100.00")]


def test_groups_are_bounded_and_a_run_goes_on_after_what_is_posted(processor, monkeypatch):
    monkeypatch.setattr(booking, "MATCHES_PER_TRANSACTION", 2)
    run = reconciled(processor, payments(5))

    groups = FeeGroup.objects.order_by("pk")
    assert [(group.match_count, group.charged) for group in groups] == [
        *((2, 3_30), (2, 3_30), (1, 1_65))
    ]
    booking.book_run(run)
    assert FeeGroup.objects.count() == JournalEntry.objects.filter(kind="processor_fees").count()
    assert expense() == "8.25"


def test_earlier_days_have_their_own_fees(processor):
    paid = payments(2)
    reconciled(processor, paid, {"created_utc": DAY}, {"created_utc": NEXT})
    ends = {day: tie_outs(date(2026, 3, day))[-1] for day in (17, 18, 19)}

    assert {day: (str(end.book), str(end.statement)) for day, end in ends.items()} == {
        17: ("0.00 EUR", "0.00 EUR"),
        18: ("-1.65 EUR", "98.35 EUR"),
        19: ("-3.30 EUR", "196.70 EUR"),
    }
    assert not any(end.difference for end in ends.values())


def test_group_is_as_lasting_as_its_entry(processor):
    reconciled(processor, payments(1))

    for change in (
        "UPDATE reconciliation_feegroup SET last_match = last_match + 1",
        "DELETE FROM reconciliation_feegroup",
    ):
        assert refused_by(change) == "ledger_append_only"


@pytest.mark.parametrize(
    ("statement", "problem"),
    [
        (
            "UPDATE reconciliation_feegroup SET charged = charged + 1",
            "its fees are 331 and -0, 1 entries say 330 and -0",
        ),
        (
            "UPDATE reconciliation_statementline SET fee = 0, net = gross"
            " WHERE external_id = 'txn_0'",
            "it was posted for 2 matches, 330 and -0; its matches are 1, 165 and -0",
        ),
        ("UPDATE reconciliation_feegroup SET first_match = last_match", "posted 0 times"),
        (
            "INSERT INTO ledger_journalentry (public_id, idempotency_key, fingerprint, kind,"
            " reference, posting_count, effective_at) SELECT 'je_x', 'processor_fee:stl_' || id,"
            " '', 'processor_fee', 'x', 2, now() FROM reconciliation_statementline"
            " WHERE external_id = 'txn_0'",
            "its fee is posted 2 times",
        ),
        (
            "UPDATE ledger_journalentry SET idempotency_key = 'x'"
            " WHERE kind = 'processor_fee_undone'",
            "it is undone, and its fee is still posted",
        ),
    ],
)
def test_breach_is_named(processor, statement, problem):
    paid = payments(3)
    reconciled(processor, paid, {}, {}, {"created_utc": NEXT})
    undo_match(match_of("txn_2"), **WHY)
    assert wrong_fees() == []

    with transaction.atomic():
        forge(statement)
        found = [breach.problem for breach in wrong_fees()]
        transaction.set_rollback(True)

    assert any(problem in each for each in found), found


def test_back_office_leads_from_a_payment_to_the_entry_and_on_to_all_its_matches(
    processor, admin_client
):
    paid = payments(3)
    reconciled(processor, paid, {}, {}, {"created_utc": NEXT})
    undo_match(match_of("txn_1"), **WHY)
    group = fee_group_of(match_of("txn_0"))
    entry = entry_of(group)

    def page(record: Any) -> str:
        name = f"admin:{record._meta.app_label}_{record._meta.model_name}_change"
        return admin_client.get(reverse(name, args=[record.pk])).content.decode()

    for record in (paid[0], match_of("txn_0"), paid[1], UndoneMatch.objects.get()):
        assert entry.public_id in page(record)
        assert group.public_id in page(record)
    assert group.public_id in page(entry)
    listed = reverse("admin:reconciliation_match_changelist")
    assert f"{listed}?fee_group={group.public_id}" in page(group)
    answer = admin_client.get(listed, {"fee_group": group.public_id})
    assert list(answer.context["cl"].result_list) == [match_of("txn_0")]
    nothing = admin_client.get(listed, {"fee_group": "fees_x"})
    assert not list(nothing.context["cl"].result_list)
    found = admin_client.get(reverse("find"), {"q": group.public_id}, follow=True)
    assert group.public_id in found.content.decode()
