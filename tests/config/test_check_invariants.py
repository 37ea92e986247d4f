"""Ten invariants: sound books keep them all, and each breach is found and named."""

import json
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from config.invariants import check_invariants
from ledger.actors import Actor
from ledger.services.sealing import seal_entries
from payments.models import JobRun, Merchant, Payment
from payments.services.authorisations import capture_payment
from payments.services.disputes import win_dispute
from payments.services.imports import import_payments
from payments.services.parking import park
from payments.services.processing import process_payments
from payments.services.transfers import refund_transfer
from payments.services.webhook_deliveries import send_test
from reconciliation.models import StatementFile
from settlements.services.batches import run_settlement
from tests.factories import (
    ApiKeyFactory,
    AuthorizedPaymentFactory,
    DisputeFactory,
    MerchantFactory,
    PaymentFactory,
    SucceededPaymentFactory,
    SucceededRefundFactory,
    eur,
)
from tests.support.api import Api
from tests.support.receivers import listening
from tests.support.reports import define_sources
from tests.support.transfers import decided, purse, transferred

pytestmark = pytest.mark.django_db

ACTOR = Actor.system("tests")
NAMES = [
    "books_balance",
    "entries_balance",
    "balances_add_up",
    "ledger_proved",
    "acceptances_kept",
    "charged_once",
    "floors_hold",
    "nothing_stuck",
    "events_told",
    "states_legal",
]
# What is forged, what finds it, and what is said of the first offender.
BREACHES = {
    "an entry of one side": (
        "UPDATE ledger_posting SET amount = amount + 1 WHERE direction = 'debit' AND entry_id ="
        " (SELECT min(id) FROM ledger_journalentry)",
        {"books_balance": "EUR: debits", "entries_balance": "debits are not credits"},
    ),
    "an entry without its postings": (
        "DELETE FROM ledger_posting WHERE entry_id ="
        " (SELECT id FROM ledger_journalentry WHERE kind = 'transfer')",
        {"entries_balance": "it has no postings", "balances_add_up": "debits"},
    ),
    "a balance that grew by itself": (
        "UPDATE ledger_accountbalance SET debits = debits + 7 WHERE account_id ="
        " (SELECT id FROM ledger_account WHERE code = 'clearing:sim:EUR')",
        {"balances_add_up": "clearing:sim:EUR: debits"},
    ),
    "an entry that says something else": (
        "UPDATE ledger_journalentry SET effective_at = effective_at - interval '1 day'"
        " WHERE kind = 'refund'",
        {"ledger_proved": "seal: It is not what was sealed."},
    ),
    "a seal that was rewritten": (
        "UPDATE ledger_seal SET hash = sha256(hash)",
        {"ledger_proved": "seal 1: anchor: It was anchored with another hash"},
    ),
    "an accepted payment that is gone": (
        "DELETE FROM payments_payment WHERE idempotency_key = 'by-api'",
        {"acceptances_kept": "create_payment by-api: pay_", "charged_once": "", "events_told": ""},
    ),
    "an accepted payment of another amount": (
        "UPDATE payments_payment SET amount = 100000 WHERE idempotency_key = 'by-api'",
        {"acceptances_kept": "is 100000 EUR, answered was 10000 EUR"},
    ),
    "a payment that is not booked": (
        "DELETE FROM ledger_journalentry WHERE reference = (SELECT public_id FROM payments_payment"
        " WHERE idempotency_key = 'by-api')",
        {"charged_once": "it is not booked (payment)", "entries_balance": "have no entry"},
    ),
    "a payment that is booked twice": (
        "UPDATE ledger_journalentry SET reference = (SELECT public_id FROM payments_payment"
        " WHERE idempotency_key = 'plain') WHERE reference = (SELECT public_id FROM"
        " payments_payment WHERE idempotency_key = 'by-api')",
        {
            "charged_once": "it is booked 2 times",
            "ledger_proved": "seal: It is not what was sealed.",
        },
    ),
    "a dispute that is not booked": (
        "UPDATE ledger_journalentry SET reference = 'dp_x' WHERE kind = 'dispute'",
        {
            "charged_once": "it is not booked (dispute)",
            "ledger_proved": "seal: It is not what was sealed.",
        },
    ),
    "a payment that the gateway never charged": (
        "DELETE FROM payments_simulatedoperation WHERE key = (SELECT public_id FROM"
        " payments_payment WHERE idempotency_key = 'plain')",
        {"charged_once": "it is SUCCEEDED, the simulator moved nothing"},
    ),
    "a payment that was charged twice": (
        "INSERT INTO payments_simulatedoperation (gateway, key, kind, merchant, source, reference,"
        " parent_reference, amount, currency, outcome, decline_code) SELECT gateway, key || ':2',"
        " kind, merchant, source, reference, '', amount, currency, outcome, '' FROM"
        " payments_simulatedoperation WHERE kind = 'refund'",
        {"charged_once": "the simulator moved it 2 times"},
    ),
    "a capture of another amount": (
        "UPDATE payments_simulatedoperation SET amount = amount - 1 WHERE kind = 'capture'",
        {"charged_once": "it is 6000 EUR of sim, the simulator moved 5999 EUR of sim"},
    ),
    "a failed payment that was charged": (
        "UPDATE payments_simulatedoperation SET outcome = 'accepted' WHERE outcome = 'declined'",
        {"charged_once": "it is FAILED, the simulator moved it"},
    ),
    "a charge nobody asked for": (
        "UPDATE payments_simulatedoperation SET key = 'pay_x' WHERE outcome = 'declined'",
        {"charged_once": "pay_x: the simulator was asked for it, we know nothing of it"},
    ),
    "a pending payment that was charged": (
        "UPDATE payments_payment SET status = 'PENDING', amount_captured = 0, effective_at = NULL,"
        " due_at = now() WHERE idempotency_key = 'by-api'",
        {
            "charged_once": "it is PENDING and the simulator was asked",
            "events_told": "it is not over, told is payment.succeeded",
            "states_legal": "it is PENDING after 1 attempts",
        },
    ),
    "a wallet below its floor": (
        "UPDATE ledger_account SET floor = 99999 WHERE code = 'tills'",
        {"floors_hold": "tills: 5000 is available, its floor is 99999"},
    ),
    "money pending without a hold": (
        "UPDATE ledger_accountbalance SET pending_debits = 5 WHERE account_id ="
        " (SELECT id FROM ledger_account WHERE code = 'tills')",
        {"floors_hold": "debits 5 and credits 0 are pending"},
    ),
    "a row held past its lease": (
        "UPDATE payments_payment SET status = 'PROCESSING', holder = 77, due_at = now(),"
        " leased_until = now() - interval '40 seconds' WHERE idempotency_key = 'waiting'",
        {"nothing_stuck": "heartbeat 77 holds it still"},
    ),
    "a row that nobody will take": (
        "UPDATE payments_payment SET due_at = NULL WHERE idempotency_key = 'waiting'",
        {"nothing_stuck": "it is open, not due and not parked"},
    ),
    "a row that is over and held": (
        "UPDATE payments_refund SET holder = 77, leased_until = now() + interval '1 minute'",
        {"nothing_stuck": "it is over and still due or held"},
    ),
    "an end nobody was told of": (
        "DELETE FROM payments_event WHERE type = 'refund.succeeded'",
        {"events_told": "it is refund.succeeded, told is nothing"},
    ),
    "an end told twice": (
        "INSERT INTO payments_event (public_id, merchant_id, type, subject, sequence, data)"
        " SELECT 'evt_2', merchant_id, type, subject, 2, data FROM payments_event"
        " WHERE type = 'payment.failed'",
        {"events_told": "2 events say that it is over"},
    ),
    "events with a gap": (
        "UPDATE payments_event SET sequence = 3 WHERE type = 'dispute.won'",
        {"events_told": "2 events, the last of them is number 3"},
    ),
    "an event of a thing that is not there": (
        "UPDATE payments_event SET subject = 're_x' WHERE type = 'refund.succeeded'",
        {"events_told": "events tell of what is not there"},
    ),
    "something told after the end": (
        "INSERT INTO payments_event (public_id, merchant_id, type, subject, sequence, data)"
        " SELECT 'evt_2', merchant_id, 'payment.capture_failed', subject, 2, data FROM"
        " payments_event WHERE type = 'payment.failed'",
        {"events_told": "something was told after payment.failed"},
    ),
    "refunds that are not counted": (
        "UPDATE payments_payment SET amount_refunded = 0 WHERE amount_refunded > 0",
        {"states_legal": "0 is refunded, its refunds are 2000"},
    ),
    "an authorisation nobody asked for": (
        "UPDATE payments_payment SET status = 'AUTHORIZED', due_at = now(), attempts = 0"
        " WHERE idempotency_key = 'waiting'",
        {"states_legal": "it is AUTHORIZED with automatic capture"},
    ),
    "a refund of what failed": (
        "UPDATE payments_refund SET payment_id ="
        " (SELECT id FROM payments_payment WHERE status = 'FAILED')",
        {"states_legal": "its payment is FAILED"},
    ),
    "a transfer completed by another's entry": (
        "UPDATE payments_transfer SET journal_entry = 'je_x' WHERE refund_of_id IS NULL",
        {"states_legal": "it is COMPLETED with entry je_"},
    ),
    "a failed transfer that moved": (
        "UPDATE payments_transfer SET status = 'FAILED', journal_entry = ''"
        " WHERE refund_of_id IS NOT NULL",
        {"states_legal": "", "events_told": "it is transfer.failed, told is transfer.completed"},
    ),
    "a batch that is not its lines": (
        "UPDATE settlements_settlementbatch SET gross = gross + 1, net = net + 1,"
        " payout_amount = payout_amount + 1",
        {"states_legal": "its lines are"},
    ),
    "a line of another amount": (
        "UPDATE settlements_settlement SET gross = gross + 1, net = net + 1"
        " WHERE refund_id IS NOT NULL",
        {"states_legal": "it is not what batch sb_"},
    ),
    "a payout that is not booked": (
        "UPDATE ledger_journalentry SET reference = 'sb_x' WHERE kind = 'settlement'",
        {
            "states_legal": "booked (settlement) is nothing",
            "ledger_proved": "seal: It is not what was sealed.",
        },
    ),
}


@pytest.fixture(autouse=True)
def sound_books(settings: LazySettings, tmp_path: Path) -> None:
    """A little of everything: what is over, what waits, and one row of each kind there is."""
    settings.LEDGER_ANCHOR_FILE = str(tmp_path / "anchors.log")
    merchant = MerchantFactory(code="shop")
    plain = SucceededPaymentFactory(merchant=merchant, idempotency_key="plain")
    SucceededRefundFactory(payment=plain, money=eur("20.00"))
    dispute = DisputeFactory(payment=plain)
    win_dispute(dispute, effective_at=timezone.now(), actor=ACTOR)
    held = AuthorizedPaymentFactory(merchant=merchant)
    capture_payment(held, money=eur("60.00"), actor=ACTOR)
    PaymentFactory(merchant=merchant, source="tok_declined")
    Api(ApiKeyFactory(merchant=merchant).secret).pay("by-api")
    process_payments()
    done = transferred(purse(merchant, "safe"), purse(merchant, "tills", "0.00"), "60.00")
    decided(refund_transfer(done, money=eur("10.00"), idempotency_key="back", actor=ACTOR))
    run_settlement(timezone.now().date(), actor=ACTOR)
    PaymentFactory(merchant=merchant, idempotency_key="waiting")
    seal_entries()


def found() -> dict[str, list[str]]:
    """What is broken, by name."""
    return {
        invariant.name: [f"{breach.subject}: {breach.problem}" for breach in breaches]
        for invariant, breaches in check_invariants(is_full=True)
        if breaches
    }


def forge(statement: str) -> None:
    """Run SQL as somebody who switched the triggers off."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(statement)
        assert cursor.rowcount > 0, "Nothing was forged."
        cursor.execute("SET LOCAL session_replication_role = origin")


def drop(table: str, constraint: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {constraint}")


def forget_index(name: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(f"DROP INDEX {name}")


def report() -> dict[str, Any]:
    """What the command says to machines; raises CommandError after it, as it does."""
    said = StringIO()
    try:
        call_command("check_invariants", "--json", stdout=said)
    finally:
        print(said.getvalue())
    return json.loads(said.getvalue())


def test_sound_books_keep_all_ten_and_the_command_says_so() -> None:
    said = report()

    assert [each["name"] for each in said["invariants"]] == NAMES
    assert all(each["holds"] and not each["breaches"] for each in said["invariants"])
    assert said["unknown_outcomes"] == {"number": 0, "oldest_seconds": None}
    assert found() == {}


@pytest.mark.parametrize("name", BREACHES)
def test_breach_is_found_and_named(name: str) -> None:
    statement, expected = BREACHES[name]

    forge(statement)

    broken = found()
    assert expected.keys() <= broken.keys(), broken
    for invariant, problem in expected.items():
        assert any(problem in breach for breach in broken[invariant]), broken


def test_what_is_broken_is_printed_with_its_offender_for_people() -> None:
    forge(BREACHES["a failed payment that was charged"][0])
    failed = Payment.objects.get(status="FAILED")
    said = StringIO()

    with pytest.raises(CommandError, match=r"^Broken: charged_once$") as ended:
        call_command("check_invariants", stdout=said)

    lines = said.getvalue().splitlines()
    assert ended.value.returncode == 1
    assert [line.split()[:2] for line in lines if line.startswith(("ok", "BROKEN"))] == [
        ["BROKEN" if name == "charged_once" else "ok", name] for name in NAMES
    ]
    assert f"        {failed}: it is FAILED, the simulator moved it" in lines


def test_only_the_first_twenty_offenders_are_named() -> None:
    merchant = Merchant.objects.get()
    for _ in range(25):
        PaymentFactory(merchant=merchant)
    forge("UPDATE payments_payment SET due_at = NULL WHERE status = 'PENDING'")

    assert len(found()["nothing_stuck"]) == 20


def test_what_is_settled_twice_is_found() -> None:
    forget_index("settlements_settlement_refund_id_key")

    forge(
        "INSERT INTO settlements_settlement (batch_id, refund_id, gross, fee, net)"
        " SELECT batch_id, refund_id, gross, fee, net FROM settlements_settlement"
        " WHERE refund_id IS NOT NULL"
    )

    assert any("it is settled 2 times" in each for each in found()["states_legal"])


def test_what_is_over_and_due_is_found() -> None:
    drop("payments_payment", "payments_payment_final_is_not_due")

    forge("UPDATE payments_payment SET due_at = now() WHERE status = 'FAILED'")

    (breach,) = found()["nothing_stuck"]
    assert breach == f"{Payment.objects.get(status='FAILED')}: it is over and still due or held"


def test_an_open_job_may_wait_for_the_one_before_it_and_a_parked_row_for_a_person() -> None:
    JobRun.objects.create(job="settle", business_period="2026-03-01", due_at=timezone.now())
    later = JobRun.objects.create(job="settle", business_period="2026-03-02")
    waiting = Payment.objects.get(idempotency_key="waiting")
    park(waiting, "It cannot be done.")
    assert found() == {}

    JobRun.objects.exclude(pk=later.pk).update(status="DONE", due_at=None)

    assert found() == {
        "nothing_stuck": ["settle 2026-03-02: it is open, not due and not parked"],
    }


def test_a_delivery_that_nobody_will_make_is_found_unless_its_endpoint_is_disabled() -> None:
    endpoint, _ = listening(Merchant.objects.first(), "http://127.0.0.1:9/")
    sent = send_test(endpoint, actor=ACTOR)
    assert found() == {}
    forge("UPDATE payments_webhookdelivery SET due_at = NULL")

    assert found() == {
        "nothing_stuck": [f"{sent}: it is open, not due and not parked"],
    }
    forge("UPDATE payments_webhookendpoint SET status = 'DISABLED'")
    assert found() == {}


def test_a_statement_file_that_nobody_will_read_is_found() -> None:
    _, bank = define_sources()
    file = StatementFile.objects.create(source=bank, name="a", sha256="0" * 64, size=1)

    assert found() == {"nothing_stuck": [f"{file}: it is open, not due and not parked"]}


def test_history_of_another_system_is_asked_for_neither_charge_nor_event() -> None:
    header = "payment_id,merchant,type,amount,currency,reference,created_at,psp,status"
    rows = [
        "1,shop,payment,50.00,EUR,r-1,2026-03-02T10:00:00Z,sim,captured",
        "2,shop,payment,60.00,EUR,r-2,2026-03-02T10:00:00Z,sim,settled",
    ]
    import_payments(StringIO("\n".join([header, *rows])), actor=ACTOR)

    assert found() == {}


def test_outcomes_nobody_knows_yet_are_counted_with_the_age_of_the_oldest() -> None:
    process_payments()
    api = Api(ApiKeyFactory(merchant=Merchant.objects.get()).secret)
    for _ in range(2):
        api.pay(source="tok_timeout")
    process_payments()
    Payment.objects.filter(status="PROCESSING").update(
        created_at=timezone.now() - timedelta(seconds=90)
    )

    unknown = report()["unknown_outcomes"]

    assert unknown["number"] == 2
    assert 90 <= unknown["oldest_seconds"] < 100
