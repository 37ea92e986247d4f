"""Entries that end discrepancies: exact, approved by a second person, seen in the tie-out."""

from datetime import UTC, date, datetime

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from ledger.actors import Actor
from ledger.errors import InvalidTransition
from ledger.models import Account, AuditEvent, JournalEntry
from ledger.services.audit import ReasonMissing
from ledger.services.periods import close_period, open_period
from reconciliation.errors import (
    BookingNotPossible,
    NothingToWriteOff,
    OffOnSeveralAccounts,
    ReasonCodeUnknown,
    WriteOffNeedsSecondPerson,
    WriteOffOutdated,
    WriteOffStands,
)
from reconciliation.models import Discrepancy, WriteOff
from reconciliation.selectors import tie_out, tie_outs
from reconciliation.services.discrepancies import reopen, resolve
from reconciliation.services.runs import reconcile
from reconciliation.services.write_offs import (
    approve_write_off,
    entry_of,
    propose_write_off,
    refuse_write_off,
    reverse_write_off,
    withdraw_write_off,
)
from tests.factories import GatewayFactory, MerchantFactory, SucceededPaymentFactory, eur
from tests.support.books import assert_books_balance, t_accounts
from tests.support.reports import (
    DAY,
    IBAN,
    bank_of,
    charge,
    define_sources,
    load,
    payout_row,
    report,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books")]

MAKER = Actor("user", "1", "maker@example.com")
CHECKER = Actor("user", "2", "checker@example.com")
WHY = {"reason_code": "other", "reason": "Asked, and nobody knows."}
LATER = date(2035, 1, 1)
BANK = f"bank:{IBAN}:EUR"


@pytest.fixture
def sources():
    GatewayFactory()
    return define_sources()


def propose(discrepancy: Discrepancy, kind: str = "write_off", **more) -> WriteOff:
    return propose_write_off(discrepancy, kind=kind, actor=MAKER, **{**WHY, **more})


def written_off(discrepancy: Discrepancy, kind: str = "write_off", **more) -> WriteOff:
    return approve_write_off(propose(discrepancy, kind, **more), actor=CHECKER)


def unexplained(sources, amount: str = "-25.00") -> Discrepancy:
    bank = bank_of()
    bank.book(eur(amount), counterparty="Office Rent GmbH", text="RENT")
    load(sources[1], bank.statement())
    reconcile(as_of=DAY)
    return Discrepancy.objects.get(type="unexplained_bank_line")


def missing(sources) -> Discrepancy:
    """A payment of 100.00 that no report shows."""
    payment = SucceededPaymentFactory(merchant=MerchantFactory(), money=eur("100.00"))
    load(sources[0], report(payout_row("po_000001", "1.00", day=payment.settlement_due_on)))
    reconcile(as_of=payment.settlement_due_on)
    return Discrepancy.objects.get(type="missing_settlement")


def reported(sources, **changes) -> Discrepancy:
    """A payment of 100.00 that the report shows with changes."""
    payment = SucceededPaymentFactory(merchant=MerchantFactory(), money=eur("100.00"))
    load(sources[0], report(charge(payment, "txn_1", **changes)))
    reconcile(as_of=payment.settlement_due_on)
    return Discrepancy.objects.exclude(type="late_settlement").get()


def items(source) -> list[tuple[str, str]]:
    """Open items of the source's accounts, once every one of them is shown to tie out."""
    proofs = tie_outs(LATER, source=source)
    assert not any(proof.difference for proof in proofs)
    return [(item.name, item.effect.text) for proof in proofs for item in proof.open_items]


def test_unexplained_bank_line_is_booked_to_suspense_and_leaves_the_tie_out(sources):
    discrepancy = unexplained(sources)
    write_off = propose(discrepancy, "booking")

    assert items(sources[1]) == [(discrepancy.reference, "25.00")]
    assert entry_of(write_off) == {
        "debit": "suspense:EUR",
        "credit": BANK,
        "amount": "25.00 EUR",
        "effective_on": "2026-03-19",
    }
    approve_write_off(write_off, actor=CHECKER)

    assert items(sources[1]) == []
    (proof,) = tie_outs(DAY, source=sources[1])
    assert (proof.book.text, proof.statement.text) == ("975.00", "975.00")
    assert t_accounts(discrepancy.line.public_id) == [
        ("debit", "suspense:EUR", 25_00),
        ("credit", BANK, 25_00),
    ]
    discrepancy.refresh_from_db()
    assert (discrepancy.status, discrepancy.reason_code, discrepancy.resolution) == (
        "WRITTEN_OFF",
        "other",
        "Asked, and nobody knows.",
    )
    assert discrepancy.ended_by == "user:checker@example.com"
    assert_books_balance()


def test_unexplained_deposit_may_be_booked_to_a_named_account(sources):
    discrepancy = unexplained(sources, "30.00")

    write_off = written_off(discrepancy, "booking", counter_account="equity:opening:EUR")

    assert t_accounts(discrepancy.line.public_id) == [
        ("debit", BANK, 30_00),
        ("credit", "equity:opening:EUR", 30_00),
    ]
    assert write_off.status == "POSTED"
    assert items(sources[1]) == []


@pytest.mark.parametrize("code", ["nowhere:EUR", BANK])
def test_booking_to_no_account_or_a_proved_one_is_refused(sources, code):
    discrepancy = unexplained(sources)

    with pytest.raises(BookingNotPossible):
        propose(discrepancy, "booking", counter_account=code)
    discrepancy.refresh_from_db()
    assert discrepancy.status == "OPEN"


@pytest.mark.parametrize(
    ("kind", "expense"),
    [("write_off", "expense:write_off:EUR"), ("accepted_difference", "expense:differences:EUR")],
)
def test_missing_payment_is_lost_from_clearing(sources, kind, expense):
    discrepancy = missing(sources)
    reference = discrepancy.payment.public_id

    written_off(discrepancy, kind)

    assert t_accounts(reference)[-2:] == [
        ("debit", expense, 100_00),
        ("credit", "clearing:sim:EUR", 100_00),
    ]
    assert items(sources[0]) == []


@pytest.mark.parametrize(
    ("gross", "debit", "credit", "amount"),
    [
        ("99.99", "expense:differences:EUR", "clearing:sim:EUR", 1),
        ("103.00", "clearing:sim:EUR", "income:differences:EUR", 3_00),
        ("-100.00", "expense:differences:EUR", "clearing:sim:EUR", 200_00),
    ],
)
def test_amount_that_differs_is_accepted_to_the_cent(sources, gross, debit, credit, amount):
    discrepancy = reported(sources, gross=gross, customer_facing_amount=gross)

    written_off(discrepancy, "accepted_difference")

    assert t_accounts(discrepancy.payment.public_id)[-2:] == [
        ("debit", debit, amount),
        ("credit", credit, amount),
    ]
    assert items(sources[0]) == []


def test_line_of_nobody_and_repeated_line_are_ours_to_keep(sources):
    payment = SucceededPaymentFactory(merchant=MerchantFactory(), money=eur("100.00"))
    stranger = charge(payment, "txn_9", **{"payment_metadata[reference]": "pay_ffffffffffff"})
    load(
        sources[0],
        report(charge(payment, "txn_1"), charge(payment, "txn_2"), stranger),
    )
    reconcile(as_of=payment.settlement_due_on)
    found = list(Discrepancy.objects.filter(type__in=["duplicate_line", "orphan_line"]))
    assert len(found) == 2

    for discrepancy in found:
        written_off(discrepancy)

    assert items(sources[0]) == []
    # Gross 100.00 less the processor's fee of 1.65.
    assert t_accounts(found[0].line.public_id) == [
        ("debit", "clearing:sim:EUR", 98_35),
        ("credit", "income:differences:EUR", 98_35),
    ]


@pytest.mark.parametrize(
    ("deposits", "kind", "expected"),
    [
        (
            ["90.00"],
            "deposit_short",
            ("expense:write_off:EUR", "deposits:in_transit:sim:EUR", 8_35),
        ),
        ([], "deposit_missing", ("expense:write_off:EUR", "deposits:in_transit:sim:EUR", 98_35)),
        (["99.00"], "deposit_over", (BANK, "income:differences:EUR", 65)),
        (["98.35", "98.35"], "deposit_duplicate", (BANK, "income:differences:EUR", 98_35)),
    ],
)
def test_deposit_that_differs_is_written_off_where_it_is_off(sources, deposits, kind, expected):
    load(sources[0], report(payout_row("po_000001", "98.35")))
    bank = bank_of()
    for amount in deposits:
        bank.book(eur(amount), counterparty="SIM PAYMENTS", text="po_000001")
    load(sources[1], bank.statement())
    reconcile(as_of=DAY)

    write_off = written_off(Discrepancy.objects.get(type=kind))

    debit, credit, amount = expected
    assert entry_of(write_off) == {
        "debit": debit,
        "credit": credit,
        "amount": str(write_off.money),
        "effective_on": "2026-03-19",
    }
    assert write_off.amount == amount
    assert items(sources[1]) == []
    assert balance("deposits:in_transit:sim:EUR") == 0


def balance(code: str) -> int:
    return Account.objects.get(code=code).balance.money.amount


def test_what_is_posted_as_reported_has_nothing_to_write_off(sources):
    discrepancy = reported(sources, fee="2.00")

    assert discrepancy.type == "fee_mismatch"
    with pytest.raises(NothingToWriteOff):
        propose(discrepancy)


def test_difference_in_two_currencies_is_not_ended_by_one_entry(sources):
    discrepancy = reported(
        sources,
        currency="usd",
        gross="110.00",
        fee="0.00",
        customer_facing_amount="110.00",
        customer_facing_currency="usd",
    )

    assert discrepancy.type == "currency_mismatch"
    with pytest.raises(OffOnSeveralAccounts):
        propose(discrepancy)


def test_nobody_approves_what_he_asked_for(sources):
    write_off = propose(unexplained(sources))

    with pytest.raises(WriteOffNeedsSecondPerson):
        approve_write_off(write_off, actor=MAKER)

    write_off.refresh_from_db()
    assert write_off.status == "REQUESTED"


def test_database_wants_a_second_person_and_an_entry(sources):
    write_off = propose(unexplained(sources))

    for fields in (
        {"decided_by": str(MAKER), "journal_entry": "je_1"},
        {"decided_by": str(CHECKER), "journal_entry": ""},
    ):
        with pytest.raises(IntegrityError, match="four_eyes"), transaction.atomic():
            WriteOff.objects.filter(pk=write_off.pk).update(status="POSTED", **fields)


def test_one_write_off_at_a_time(sources):
    discrepancy = unexplained(sources)
    propose(discrepancy)

    with pytest.raises(InvalidTransition):
        propose(discrepancy)
    with pytest.raises(InvalidTransition):
        reopen(discrepancy, reason="No.", actor=MAKER)


@pytest.mark.parametrize(
    ("drop", "status"), [(refuse_write_off, "REFUSED"), (withdraw_write_off, "WITHDRAWN")]
)
def test_refused_or_withdrawn_nothing_moves_and_it_is_open_again(sources, drop, status):
    discrepancy = unexplained(sources)
    write_off = propose(discrepancy)
    before = JournalEntry.objects.count()

    with pytest.raises(ReasonMissing):
        drop(write_off, actor=CHECKER, reason=" ")
    drop(write_off, actor=CHECKER, reason="Ask the landlord.")

    write_off.refresh_from_db()
    discrepancy.refresh_from_db()
    assert (write_off.status, discrepancy.status) == (status, "OPEN")
    assert JournalEntry.objects.count() == before
    with pytest.raises(InvalidTransition):
        approve_write_off(write_off, actor=CHECKER)
    propose(discrepancy)


def test_reversed_it_is_open_again_on_both_sides(sources):
    discrepancy = unexplained(sources)
    write_off = written_off(discrepancy)

    with pytest.raises(WriteOffStands):
        reopen(discrepancy, reason="It was the rent.", actor=MAKER)
    reverse_write_off(write_off, actor=MAKER, reason="It was the rent.")

    discrepancy.refresh_from_db()
    assert (discrepancy.status, discrepancy.resolved_at, discrepancy.ended_by) == ("OPEN", None, "")
    assert items(sources[1]) == [(discrepancy.reference, "25.00")]
    with pytest.raises(InvalidTransition):
        reverse_write_off(write_off, actor=MAKER, reason="Again.")
    written_off(discrepancy, "booking")
    assert items(sources[1]) == []
    actions = AuditEvent.objects.filter(action__startswith="write_off.").order_by("pk")
    assert [event.action.split(".")[1] for event in actions] == [
        *("proposed", "approved", "reversed", "proposed", "approved")
    ]


def test_in_a_closed_period_it_takes_effect_when_the_next_one_begins(sources):
    discrepancy = unexplained(sources)
    march, april = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC)
    open_period("2026-03", starts_at=march, ends_at=april, actor=MAKER)
    write_off = propose(discrepancy)
    close_period("2026-03", actor=MAKER)

    write_off = approve_write_off(write_off, actor=CHECKER)

    entry = JournalEntry.objects.get(public_id=write_off.journal_entry)
    assert entry.effective_at == april
    account = sources[1].accounts.get()
    (proof,) = tie_outs(DAY, source=sources[1])
    assert [item.effect.text for item in proof.open_items] == ["25.00"]
    assert tie_out(account, day=april.date()).open_items == ()


def test_run_again_leaves_written_off_what_is_still_so(sources):
    discrepancy = missing(sources)
    written_off(discrepancy)

    run = reconcile(as_of=timezone.now().date())

    discrepancy.refresh_from_db()
    assert (discrepancy.status, run.discrepancy_count) == ("WRITTEN_OFF", 0)


def test_line_that_comes_after_the_write_off_opens_it_until_that_is_reversed(sources):
    discrepancy = missing(sources)
    write_off = written_off(discrepancy)
    load(sources[0], report(charge(discrepancy.payment, "txn_1")))

    run = reconcile(as_of=discrepancy.since)

    discrepancy.refresh_from_db()
    assert discrepancy.status == "OPEN"
    # Lost by our books, and there after all.
    assert items(sources[0]) == [(discrepancy.payment.reference, "-100.00")]
    for act in (propose, lambda it: resolve(it, actor=MAKER, **WHY)):
        with pytest.raises(WriteOffStands):
            act(discrepancy)
    reconcile(as_of=run.as_of)
    discrepancy.refresh_from_db()
    assert discrepancy.status == "OPEN"

    reverse_write_off(write_off, actor=MAKER, reason="It came.")
    reconcile(as_of=run.as_of)

    discrepancy.refresh_from_db()
    assert (discrepancy.status, discrepancy.ended_by) == ("RESOLVED", "")
    assert items(sources[0]) == []


def test_line_that_comes_before_the_approval_makes_it_outdated(sources):
    discrepancy = missing(sources)
    write_off = propose(discrepancy)
    load(sources[0], report(charge(discrepancy.payment, "txn_1")))
    run = reconcile(as_of=discrepancy.since)

    with pytest.raises(WriteOffOutdated):
        approve_write_off(write_off, actor=CHECKER)

    withdraw_write_off(write_off, actor=MAKER, reason="It came.")
    reconcile(as_of=run.as_of)
    discrepancy.refresh_from_db()
    assert discrepancy.status == "RESOLVED"


def test_what_nobody_can_book_is_refused(sources):
    discrepancy = missing(sources)

    with pytest.raises(BookingNotPossible):
        propose(discrepancy, "booking")
    with pytest.raises(BookingNotPossible):
        propose(discrepancy, "gift")
    with pytest.raises(BookingNotPossible):
        propose(discrepancy, "write_off", counter_account="suspense:EUR")
    with pytest.raises(ReasonCodeUnknown):
        propose(discrepancy, reason_code="because")
    with pytest.raises(ReasonMissing):
        propose(discrepancy, reason=" ")
    assert not WriteOff.objects.exists()
