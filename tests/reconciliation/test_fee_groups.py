"""The fees of many matches are one entry; each of them can be found in it, and taken out once."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from ledger.actors import Actor
from ledger.models import Account, JournalEntry
from ledger.money import Money
from ledger.services.periods import close_period, define_periods
from ledger.services.posting import post_entry
from ledger.services.reversals import reverse_entry
from payments.models import Payment
from reconciliation.bookkeeping import entry_for_processor_fee
from reconciliation.days import start_of
from reconciliation.fee_groups import entry_of, fee_group_of, matches_in
from reconciliation.invariants import wrong_fees
from reconciliation.models import FeeGroup, Match, ReconciliationRun, StatementLine, UndoneMatch
from reconciliation.open_amounts import open_amounts
from reconciliation.reports import canonical, known_horizon, tie_out_report
from reconciliation.selectors import tie_outs
from reconciliation.services import booking
from reconciliation.services.hand_matching import match_by_hand
from reconciliation.services.runs import reconcile
from reconciliation.services.undone_matches import undo_match
from tests.factories import (
    GatewayFactory,
    MerchantFactory,
    SucceededPaymentFactory,
    SucceededRefundFactory,
    eur,
)
from tests.support.books import t_accounts
from tests.support.breaches import forge
from tests.support.refusals import refused_by
from tests.support.reports import charge, define_sources, load, report

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books")]

ANN = Actor("user", "1", "ann@example.com")
WHY = {"reason": "The processor wrote so.", "actor": ANN}
LATER = date(2035, 1, 1)
DAY, NEXT = "2026-03-18 12:00:00", "2026-03-19 12:00:00"


@pytest.fixture
def processor():
    GatewayFactory()
    return define_sources()[0]


@pytest.fixture(autouse=True)
def all_is_proved(db: None):
    yield
    assert not any(proof.difference for proof in tie_outs(LATER))
    assert wrong_fees() == []


def payments(count: int) -> list[Payment]:
    merchant = MerchantFactory()
    return [
        SucceededPaymentFactory(merchant=merchant, money=eur("100.00"), reference=f"ORDER-{n}")
        for n in range(count)
    ]


def reconciled(processor, paid: list[Payment], *changes: dict[str, Any]) -> ReconciliationRun:
    """Each payment with its line, `txn_0`, `txn_1`, …"""
    more = [*changes, *({} for _ in paid[len(changes) :])]
    rows = [
        charge(payment, f"txn_{n}", **{"created_utc": DAY, **changed})
        for n, (payment, changed) in enumerate(zip(paid, more, strict=True))
    ]
    load(processor, report(*rows))
    return reconcile()


def match_of(name: str) -> Match:
    return Match.objects.get(line__external_id=name)


def expense(currency: str = "EUR") -> str:
    return Account.objects.get(code=f"expense:processing:{currency}").balance.money.text


def fees(*moved: tuple[str, int]) -> list[tuple[str, str, int]]:
    """Lines of an entry: `charged` debits the expense, `given_back` credits it."""
    lines = []
    for way, amount in moved:
        accounts = ["expense:processing:EUR", "clearing:sim:EUR"]
        if way == "given_back":
            accounts.reverse()
        lines += [("debit", accounts[0], amount), ("credit", accounts[1], amount)]
    return lines


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


def test_undoing_takes_one_fee_out_once_and_matching_again_posts_it_anew(processor):
    paid = payments(3)
    reconciled(processor, paid, {}, {"fee": "2.00"})
    group = FeeGroup.objects.get()
    known_at = known_horizon()
    account = group.source_account
    signed = canonical(tie_out_report(account, day=LATER, known_at=known_at))

    for times in (1, 2):
        match = match_of("txn_1")
        undone = undo_match(match, **WHY)

        assert expense() == "3.30"
        taken = JournalEntry.objects.get(idempotency_key=f"processor_fee_undone:{match.public_id}")
        assert (taken.reference, taken.effective_at) == (
            paid[1].public_id,
            entry_of(group).effective_at,
        )
        assert t_accounts(paid[1].public_id)[-2:] == fees(("given_back", 2_00))
        assert (undone.match_number, UndoneMatch.objects.count()) == (match.pk, times)

        again = match_by_hand(StatementLine.objects.get(external_id="txn_1"), paid[1], **WHY)
        assert expense() == "5.30"
        assert fee_group_of(again).match_count == 1
        assert wrong_fees() == []

    assert set(matches_in(group)) == {match_of("txn_0"), match_of("txn_2")}
    assert canonical(tie_out_report(account, day=LATER, known_at=known_at)) == signed


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


def test_a_fee_of_a_closed_period_is_taken_out_when_the_next_begins(processor):
    define_periods("2024-01", "2024-02", zone="UTC", actor=ANN)
    (paid,) = payments(1)
    reconciled(processor, [paid], {"created_utc": "2024-01-10 12:00:00"})
    close_period("2024-01", actor=ANN)

    undo_match(match_of("txn_0"), **WHY)

    taken = JournalEntry.objects.get(kind="processor_fee_undone")
    assert taken.late_from == datetime(2024, 1, 10, tzinfo=UTC)
    assert taken.effective_at == datetime(2024, 2, 1, tzinfo=UTC)
    for day in (date(2024, 1, 31), date(2024, 2, 1)):
        assert not any(proof.difference for proof in tie_outs(day))


def test_a_fee_that_was_posted_by_itself_is_still_found_and_reversed(processor):
    """What was matched before there were groups."""
    (paid,) = payments(1)
    load(processor, report(charge(paid, "txn_0", created_utc=DAY)))
    line = StatementLine.objects.get()
    run = ReconciliationRun.objects.create(
        as_of=line.booked_on, rules={}, finished_at=timezone.now()
    )
    match = Match.objects.create(
        run=run,
        kind="payment",
        rule="exact_reference",
        rule_version=1,
        evidence={},
        line=line,
        amount=line.net,
        payment=paid,
    )
    assert [str(breach.problem) for breach in wrong_fees()] == ["its fee is posted 0 times"]
    post_entry(
        entry_for_processor_fee(
            "sim",
            eur("1.65"),
            key=line.public_id,
            reference=paid.public_id,
            effective_at=start_of(line.booked_on, processor.time_zone),
        )
    )
    assert (wrong_fees(), fee_group_of(match)) == ([], None)

    undo_match(match, **WHY)
    assert JournalEntry.objects.get(kind="reversal").reverses.kind == "processor_fee"
    assert expense() == "0.00"

    match_by_hand(line, paid, **WHY)
    assert expense() == "1.65"


def test_a_group_that_a_person_reversed_as_a_whole_gives_nothing_back_again(processor):
    paid = payments(2)
    reconciled(processor, paid)
    reverse_entry(entry_of(FeeGroup.objects.get()).public_id, reason="Wrong.", actor=ANN)
    assert expense() == "0.00"

    undo_match(match_of("txn_0"), **WHY)

    assert expense() == "0.00"


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
