"""People match lines and take matches apart, and runs respect that."""

import json
from datetime import date

import pytest
from django.contrib.auth.models import Permission, User
from django.core.management import CommandError, call_command

from ledger.actors import Actor
from ledger.errors import InvalidTransition
from ledger.models import Account, AuditEvent, JournalEntry
from ledger.services.audit import ReasonMissing
from payments.models import Payment
from reconciliation.errors import AlreadyMatched, MatchNotFound, NotMatchable, WriteOffStands
from reconciliation.models import (
    Discrepancy,
    FeeGroup,
    Match,
    ProcessorPayout,
    ReconciliationRun,
    StatementLine,
    UndoneMatch,
)
from reconciliation.selectors import tie_outs
from reconciliation.services.hand_matching import match_by_hand
from reconciliation.services.runs import reconcile
from reconciliation.services.undone_matches import undo_match
from reconciliation.services.write_offs import approve_write_off, propose_write_off
from settlements.models import Payout
from settlements.services.batches import run_settlement
from tests.factories import (
    DisputeFactory,
    GatewayFactory,
    MerchantFactory,
    SucceededPaymentFactory,
    SucceededRefundFactory,
    eur,
)
from tests.support.books import assert_books_balance, t_accounts
from tests.support.payouts import sent
from tests.support.reports import DAY, bank_of, charge, define_sources, load, payout_row, report

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books")]

ANN = Actor("user", "1", "ann@example.com")
BOB = Actor("user", "2", "bob@example.com")
LATER = date(2035, 1, 1)
WHY = {"reason": "The processor wrote so.", "actor": ANN}
STRANGER = {"payment_metadata[reference]": "PHONE-ORDER-77"}


@pytest.fixture
def sources():
    GatewayFactory()
    return define_sources()


@pytest.fixture(autouse=True)
def all_ties_out(db: None):
    yield
    assert not any(proof.difference for proof in tie_outs(LATER))
    assert_books_balance()


def opened() -> list[tuple[str, str]]:
    return sorted(Discrepancy.objects.filter(status="OPEN").values_list("type", "reference"))


def line(name: str) -> StatementLine:
    return StatementLine.objects.get(external_id=name)


def balance(code: str) -> str:
    account = Account.objects.filter(code=code).first()
    return account.balance.money.text if account else "0.00"


@pytest.fixture
def stranger(sources) -> Payment:
    """A payment whose line carries a reference that nobody knows."""
    payment = SucceededPaymentFactory(money=eur("100.00"), reference="ORDER-0001")
    load(sources[0], report(charge(payment, "txn_1", **STRANGER)))
    reconcile(as_of=payment.settlement_due_on)
    assert opened() == [("missing_settlement", "ORDER-0001"), ("orphan_line", "txn_1")]
    return payment


def test_a_person_matches_a_line_its_fee_is_posted_and_what_was_open_is_over(stranger):
    match = match_by_hand(line("txn_1"), stranger, **WHY)

    assert opened() == []
    assert (match.payment, match.rule, match.rule_version) == (stranger, "by_hand", 1)
    assert match.evidence["reason"] == "The processor wrote so."
    assert t_accounts(FeeGroup.objects.get().public_id) == [
        ("debit", "expense:processing:EUR", 165),
        ("credit", "clearing:sim:EUR", 165),
    ]
    event = AuditEvent.objects.get(action="match.made")
    assert (event.actor_label, event.subject) == ("ann@example.com", match.public_id)
    assert event.after["amount"] == "98.35 EUR"
    assert match.run.trigger == "person"
    assert (match.run.match_count, len(match.run.result_hash)) == (1, 64)


def test_a_match_by_hand_stays_whatever_comes_later(stranger, sources):
    match = match_by_hand(line("txn_1"), stranger, **WHY)
    load(sources[0], report(charge(stranger, "txn_2")))

    reconcile()
    reconcile()

    assert Match.objects.get() == match
    assert opened() == [("duplicate_line", "txn_2")]
    assert JournalEntry.objects.filter(kind="processor_fees").count() == 1


def test_what_differs_is_found_as_if_a_rule_had_made_the_pair(sources):
    payment = SucceededPaymentFactory(money=eur("100.00"), reference="ORDER-0001")
    short = {"gross": "98.00", "customer_facing_amount": "98.00"}
    load(sources[0], report(charge(payment, "txn_1", **short, **STRANGER)))

    match_by_hand(line("txn_1"), payment, **WHY)

    assert opened() == [("amount_mismatch", "ORDER-0001")]
    assert Discrepancy.objects.get().money == eur("-2.00")


def test_an_undone_match_is_reversed_once_and_its_sides_are_open_again(sources):
    payment = SucceededPaymentFactory(money=eur("100.00"), reference="ORDER-0001")
    load(sources[0], report(charge(payment, "txn_1", fee="2.00")))
    reconcile(as_of=payment.settlement_due_on)
    assert opened() == [("fee_mismatch", "ORDER-0001")]
    match = Match.objects.get()

    undone = undo_match(match, **WHY)

    assert (undone.kind, undone.subject_id, undone.line) == ("payment", payment.pk, line("txn_1"))
    assert (undone.rule, undone.amount, undone.undone_by) == ("exact_reference", 9800, str(ANN))
    assert not Match.objects.exists()
    assert opened() == [("missing_settlement", "ORDER-0001"), ("orphan_line", "txn_1")]
    fee = JournalEntry.objects.get(kind="processor_fees")
    taken = JournalEntry.objects.get(kind="processor_fee_undone")
    assert (taken.reference, taken.effective_at) == (payment.public_id, fee.effective_at)
    assert taken.idempotency_key == f"processor_fee_undone:match_{undone.match_number}"
    assert undone.fee_group.public_id == fee.reference
    assert balance("expense:processing:EUR") == "0.00"
    event = AuditEvent.objects.get(action="match.undone")
    assert event.reason == WHY["reason"]
    assert event.after == {"reversed": [], "fee_group": fee.reference}
    with pytest.raises(MatchNotFound):
        undo_match(match, **WHY)


def test_no_rule_makes_an_undone_match_again(sources):
    payment = SucceededPaymentFactory(money=eur("100.00"), reference="ORDER-0001")
    load(sources[0], report(charge(payment, "txn_1")))
    reconcile()
    undo_match(Match.objects.get(), **WHY)

    for _ in range(2):
        reconcile(as_of=payment.settlement_due_on)
        assert not Match.objects.exists()
        assert opened() == [("missing_settlement", "ORDER-0001"), ("orphan_line", "txn_1")]


def test_the_line_that_was_a_duplicate_takes_the_place_of_the_one_taken_away(sources):
    payment = SucceededPaymentFactory(money=eur("100.00"), reference="ORDER-0001")
    load(sources[0], report(charge(payment, "txn_1"), charge(payment, "txn_2")))
    reconcile()
    assert opened() == [("duplicate_line", "txn_2")]

    undo_match(Match.objects.get(), **WHY)
    reconcile(as_of=payment.settlement_due_on)

    assert Match.objects.get().line == line("txn_2")
    assert opened() == [("orphan_line", "txn_1")]
    assert balance("expense:processing:EUR") == "1.65"


def test_a_person_may_match_again_what_was_undone_and_each_time_it_is_posted_once(stranger):
    for times in (1, 2, 3):
        match = match_by_hand(line("txn_1"), stranger, **WHY)
        assert balance("expense:processing:EUR") == "1.65"
        undo_match(match, **WHY)
        assert balance("expense:processing:EUR") == "0.00"
        assert UndoneMatch.objects.count() == times
    assert JournalEntry.objects.filter(kind="processor_fees").count() == 3
    assert JournalEntry.objects.filter(kind="processor_fee_undone").count() == 3


def test_a_line_that_was_matched_to_the_wrong_payment_goes_to_the_right_one(sources):
    wrong = SucceededPaymentFactory(money=eur("100.00"), reference="ORDER-0001")
    right = SucceededPaymentFactory(
        merchant=wrong.merchant, money=eur("98.00"), reference="ORDER-0002"
    )
    load(
        sources[0], report(charge(right, "txn_1", **{"payment_metadata[reference]": "ORDER-0001"}))
    )
    reconcile()
    assert ("amount_mismatch", "ORDER-0001") in opened()

    undo_match(Match.objects.get(), **WHY)
    match_by_hand(line("txn_1"), right, **WHY)
    reconcile(as_of=right.settlement_due_on)

    assert Match.objects.get().payment == right
    assert opened() == [("missing_settlement", "ORDER-0001")]


def test_refunds_are_matched_and_undone_too(sources):
    payment = SucceededPaymentFactory(money=eur("100.00"), reference="ORDER-0001")
    refund = SucceededRefundFactory(payment=payment, money=eur("10.00"), reference="REFUND-0001")
    odd = charge(refund, "txn_2", fee="0.30", **{"refund_metadata[reference]": "GOODWILL"})
    load(sources[0], report(charge(payment, "txn_1"), odd))
    reconcile(as_of=refund.settlement_due_on)

    match = match_by_hand(line("txn_2"), refund, **WHY)
    assert opened() == [("fee_mismatch", "REFUND-0001")]

    undo_match(match, **WHY)
    assert opened() == [("orphan_line", "txn_2"), ("refund_not_in_settlement", "REFUND-0001")]
    assert balance("expense:processing:EUR") == "1.65"


def test_a_dispute_is_matched_and_undone_and_stays_a_dispute(sources):
    payment = SucceededPaymentFactory(money=eur("100.00"), reference="ORDER-0001")
    dispute = DisputeFactory(payment=payment)
    chargeback = {"gross": "-40.00", "customer_facing_amount": "-40.00", "fee": "15.00"}
    lost = charge(payment, "txn_2", reporting_category="dispute", **chargeback, **STRANGER)
    load(sources[0], report(charge(payment, "txn_1"), lost))
    reconcile(as_of=payment.settlement_due_on)
    assert opened() == [
        ("dispute_not_in_settlement", dispute.reference),
        ("orphan_line", "txn_2"),
    ]

    match = match_by_hand(line("txn_2"), dispute, **WHY)
    assert opened() == []
    assert balance("expense:processing:EUR") == "16.65"

    undo_match(match, **WHY)
    reconcile()
    assert opened() == [
        ("dispute_not_in_settlement", dispute.reference),
        ("orphan_line", "txn_2"),
    ]
    assert balance("expense:processing:EUR") == "1.65"
    dispute.refresh_from_db()
    assert dispute.status == "OPEN"


def test_a_dispute_that_a_line_had_opened_is_not_matched_to_it_again(sources):
    payment = SucceededPaymentFactory(money=eur("100.00"), reference="ORDER-0001")
    chargeback = {"gross": "-40.00", "customer_facing_amount": "-40.00"}
    lost = charge(payment, "txn_2", reporting_category="dispute", **chargeback)
    load(sources[0], report(charge(payment, "txn_1"), lost))
    reconcile(as_of=payment.settlement_due_on)

    undo_match(Match.objects.get(kind="dispute"), **WHY)
    reconcile(as_of=payment.settlement_due_on)

    assert not Match.objects.filter(kind="dispute").exists()
    assert payment.disputes.count() == 1
    assert opened() == [
        ("dispute_not_in_settlement", payment.disputes.get().reference),
        ("orphan_line", "txn_2"),
    ]


@pytest.fixture
def arrived(sources) -> StatementLine:
    """100.00 from the processor that name no payout, for payouts of 60.00 and 50.00."""
    rows = (payout_row("po_000001", "60.00"), payout_row("po_000002", "50.00"))
    load(sources[0], report(*rows))
    bank = bank_of()
    bank.book(eur("100.00"), counterparty="SIM PAYMENTS", text="TRANSFER")
    load(sources[1], bank.statement())
    reconcile(as_of=DAY)
    found = StatementLine.objects.get(kind="entry")
    assert opened() == [
        ("deposit_missing", "po_000001"),
        ("deposit_missing", "po_000002"),
        ("unexplained_bank_line", found.external_id),
    ]
    return found


def test_a_deposit_is_matched_part_by_part_and_never_beyond_the_line(arrived):
    first, second = ProcessorPayout.objects.order_by("external_id")

    match_by_hand(arrived, first, **WHY)
    assert opened() == [
        ("deposit_missing", "po_000002"),
        ("unexplained_bank_line", arrived.external_id),
    ]
    reconcile(as_of=DAY)
    with pytest.raises(NotMatchable, match=r"of the line 40.00 EUR is left"):
        match_by_hand(arrived, second, amount=eur("40.01"), **WHY)
    match_by_hand(arrived, second, **WHY)

    assert opened() == [("deposit_short", "po_000002")]
    assert Discrepancy.objects.get(type="deposit_short").money == eur("-10.00")
    assert balance("deposits:in_transit:sim:EUR") == "10.00"
    assert balance(f"bank:{arrived.source_account.identifier}:EUR") == "1100.00"


def test_a_deposit_that_is_undone_is_in_transit_again_and_no_rule_takes_it(arrived):
    first, second = ProcessorPayout.objects.order_by("external_id")
    kept = match_by_hand(arrived, first, **WHY)
    undone = match_by_hand(arrived, second, **WHY)

    undo_match(undone, **WHY)
    reconcile(as_of=DAY)

    assert Match.objects.get() == kept
    assert opened() == [
        ("deposit_missing", "po_000002"),
        ("unexplained_bank_line", arrived.external_id),
    ]
    assert balance("deposits:in_transit:sim:EUR") == "50.00"
    match_by_hand(arrived, second, amount=eur("40.00"), **WHY)
    assert balance("deposits:in_transit:sim:EUR") == "10.00"


def test_a_named_deposit_that_is_undone_is_nobodys(sources):
    load(sources[0], report(payout_row("po_000001", "98.35")))
    bank = bank_of()
    name = bank.book(eur("98.35"), counterparty="SIM PAYMENTS", text="po_000001")
    load(sources[1], bank.statement())
    reconcile(as_of=DAY)

    undo_match(Match.objects.get(), **WHY)
    reconcile(as_of=DAY)

    assert not Match.objects.exists()
    assert opened() == [("deposit_missing", "po_000001"), ("unexplained_bank_line", name)]


def test_a_payout_of_ours_is_matched_by_hand_and_on_its_way_again_when_undone(sources):
    payment = SucceededPaymentFactory(merchant=MerchantFactory(), money=eur("100.00"))
    run_settlement(payment.effective_at.date(), actor=Actor.system("settlement"))
    payout = Payout.objects.get()
    sent([payout])
    payout.refresh_from_db()
    bank = bank_of()
    bank.book(-payout.money - eur("0.50"), counterparty="Shop", text="WITH A CHARGE")
    load(sources[1], bank.statement())
    reconcile(as_of=DAY)
    debit = StatementLine.objects.get(kind="entry")

    match = match_by_hand(debit, payout, **WHY)
    payout.refresh_from_db()
    assert (payout.status, payout.paid_on, payout.batch.status) == ("PAID", DAY, "PAID")
    assert balance("payouts:in_transit:EUR") == "0.00"
    assert opened() == [("unexplained_bank_line", debit.external_id)]  # 0.50 of it
    (proof,) = tie_outs(DAY, source=sources[1])
    assert proof.open == eur("0.50")

    undo_match(match, **WHY)
    payout.refresh_from_db()
    payout.batch.refresh_from_db()
    assert (payout.status, payout.paid_on, payout.batch.status) == ("SENT", None, "CLOSED")
    assert balance("payouts:in_transit:EUR") == payout.money.text


def test_what_cannot_belong_together_is_refused_and_nothing_changes(sources, stranger):
    other = SucceededPaymentFactory(merchant=stranger.merchant, money=eur("5.00"))
    pending = SucceededRefundFactory(payment=other, money=eur("1.00"))
    load(sources[0], report(payout_row("po_000001", "60.00")))
    bank = bank_of()
    bank.book(eur("-60.00"), counterparty="SIM PAYMENTS", text="x")
    load(sources[1], bank.statement())
    reconcile()
    payout = ProcessorPayout.objects.get()
    before = (
        Match.objects.count(),
        JournalEntry.objects.count(),
        ReconciliationRun.objects.count(),
    )

    for wrong, subject, refusal in [
        (StatementLine.objects.get(kind="entry"), stranger, "not of its gateway's reports"),
        (StatementLine.objects.get(kind="payout"), stranger, "in the books by itself"),
        (StatementLine.objects.get(kind="entry"), payout, "deposits are credits"),
        (line("txn_1"), payout, "not of a bank"),
    ]:
        with pytest.raises(NotMatchable, match=refusal):
            match_by_hand(wrong, subject, **WHY)
    with pytest.raises(NotMatchable, match="matched whole"):
        match_by_hand(line("txn_1"), stranger, amount=eur("1.00"), **WHY)
    with pytest.raises(ReasonMissing):
        match_by_hand(line("txn_1"), stranger, reason=" ", actor=ANN)
    after = (Match.objects.count(), JournalEntry.objects.count(), ReconciliationRun.objects.count())
    assert after == before

    match = match_by_hand(line("txn_1"), stranger, **WHY)
    with pytest.raises(AlreadyMatched, match=match.public_id):
        match_by_hand(line("txn_1"), pending, **WHY)
    with pytest.raises(AlreadyMatched, match=match.public_id):
        match_by_hand(line("txn_1"), stranger, **WHY)


def test_a_match_whose_difference_was_written_off_is_undone_after_that_was_reversed(sources):
    payment = SucceededPaymentFactory(money=eur("100.00"), reference="ORDER-0001")
    short = {"gross": "98.00", "customer_facing_amount": "98.00"}
    load(sources[0], report(charge(payment, "txn_1", **short)))
    reconcile()
    write_off = propose_write_off(
        Discrepancy.objects.get(), kind="write_off", reason_code="other", **WHY
    )

    with pytest.raises(InvalidTransition):
        undo_match(Match.objects.get(), **WHY)
    approve_write_off(write_off, actor=BOB)
    with pytest.raises(WriteOffStands):
        undo_match(Match.objects.get(), **WHY)
    assert not UndoneMatch.objects.exists()


def test_commands_do_it_in_the_name_of_somebody_who_may(stranger, capsys):
    ann = User.objects.create_user("ann")
    words = ["--actor", "ann", "--reason", "The processor wrote so."]
    public_id = line("txn_1").public_id
    with pytest.raises(CommandError, match="no active person"):
        call_command("match_by_hand", public_id, stranger.public_id, *words)
    may = Permission.objects.filter(codename__in=["add_match", "delete_match"])
    ann.user_permissions.set(may)

    call_command("match_by_hand", public_id, stranger.public_id, "--json", *words)
    match = Match.objects.get()
    assert json.loads(capsys.readouterr().out)["id"] == match.public_id
    call_command("undo_match", match.public_id, *words)

    assert not Match.objects.exists()
    assert AuditEvent.objects.filter(actor_label="ann", action="match.undone").count() == 1
    for wrong in (
        ["match_by_hand", "stl_0", stranger.public_id],
        ["match_by_hand", public_id, "pay_unknown"],
        ["undo_match", "match_x"],
    ):
        with pytest.raises(CommandError, match=r"_not_found\)"):
            call_command(*wrong, *words)
