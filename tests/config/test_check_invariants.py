"""Ten invariants: sound books keep them all, and each breach is found and named."""

import json
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.management import CommandError, call_command
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
from tests.support.breaches import BREACHES, drop, forge, forget_index
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
