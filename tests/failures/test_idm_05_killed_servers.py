"""IDM-05: kill -9 at nine points of a payment; the client insists, and is charged once.

Nothing in our code knows of these points: rows and locks that a transaction of the test holds, and
a Redis that is paused, make the processes stand still just there.

| killed | point |
|---|---|
| worker | before the gateway is called (it takes its time until it hears of it) |
| worker | while the gateway does it |
| worker | when the gateway has answered, before anything is booked |
| worker | when all is booked |
| web | when it has claimed the key, before the payment is written |
| web | when the payment is written, before its answer is kept |
| web | in the middle of the commit |
| web | after the commit, before a byte of the answer |
| web | while the answer is on its way |
"""

import socket
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import psycopg
import pytest
from django.conf import LazySettings
from django.db import connection, transaction

from ledger.models import AccountBalance, JournalEntry
from payments.models import Merchant, Payment, SimulatedOperation
from payments.services.payments import CREATE_PAYMENT
from tests.chaos.clients import Client, wish
from tests.chaos.stage import Stage, assert_invariants_hold, stage
from tests.factories import ApiKeyFactory, MerchantFactory, PaymentFactory, SucceededPaymentFactory
from tests.support.own_names import database_url_of_tests
from tests.support.servers import wait_for

GATEWAY_SECONDS = "0.6"
INSIST_SECONDS = 120
DONE_WITHIN_SECONDS = 60
WORKER_POINTS = ("before_call", "during_call", "before_booking", "after_booking")
WEB_POINTS = ("claimed", "written", "in_commit", "committed", "answered")
WRITE_KEY = """
INSERT INTO payments_idempotencykey (
    merchant_id, route, key, request_digest, request_id, http_status, location, body
) VALUES (%s, %s, %s, '', '', 202, '', '')
"""
# Who commits a payment of the merchant waits for this lock, when the commit is all that is left.
COMMIT_LOCK = 4_005
WAIT_IN_COMMIT = f"""
CREATE FUNCTION tests_wait_in_commit() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    PERFORM pg_advisory_xact_lock_shared({COMMIT_LOCK});
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER tests_wait_in_commit AFTER INSERT ON payments_payment
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (new.merchant_id = {{merchant}})
EXECUTE FUNCTION tests_wait_in_commit();
"""
WAIT_NO_LONGER = "DROP FUNCTION tests_wait_in_commit() CASCADE"
BLOCKED = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND wait_event_type = 'Lock' AND application_name = 'tieout'
"""


class Shop:
    """One merchant per point, so that the test can hold up each of them alone."""

    def __init__(self, point: str) -> None:
        self.key = f"order-{point}"
        self.merchant: Merchant = MerchantFactory(code=point.replace("_", "-"))
        self.secret = ApiKeyFactory(merchant=self.merchant).secret

    def payment(self) -> Payment | None:
        return Payment.objects.filter(merchant=self.merchant, idempotency_key=self.key).first()

    def status(self) -> str:
        payment = self.payment()
        return payment.status if payment else ""


@contextmanager
def holding() -> Iterator[psycopg.Connection]:
    """A transaction that can be ended at any moment."""
    with psycopg.connect(database_url_of_tests()) as own:
        try:
            yield own
        finally:
            own.rollback()


def ask_and_forget(platform: Stage, shop: Shop) -> threading.Thread:
    """Ask for the payment on a thread of its own; no answer is an answer, too."""

    def ask() -> None:
        with Client(platform.base_url, shop.secret) as client, suppress(httpx.TransportError):
            client.pay(shop.key)

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    return thread


def wait_for_blocked(number: int) -> None:
    with psycopg.connect(database_url_of_tests(), autocommit=True) as watcher:
        wait_for(lambda: watcher.execute(BLOCKED).fetchone() == (number,))


@contextmanager
def worker_stands_at_each_point(platform: Stage, shops: dict[str, Shop]) -> Iterator[None]:
    """Four children of one worker, each with one payment, each at another point."""
    ask_and_forget(platform, shops["after_booking"]).join()
    wait_for(lambda: shops["after_booking"].status() == "SUCCEEDED")
    with holding() as account, holding() as gateway:
        before_booking = shops["before_booking"]
        SucceededPaymentFactory(merchant=before_booking.merchant)  # so that there is an account
        (payable,) = AccountBalance.objects.filter(account__owner=before_booking.merchant.public_id)
        account.execute(
            "SELECT FROM ledger_accountbalance WHERE account_id = %s FOR UPDATE", [payable.pk]
        )
        ask_and_forget(platform, before_booking).join()
        wait_for(lambda: before_booking.status() == "PROCESSING")

        during_call = shops["during_call"]
        ask_and_forget(platform, during_call).join()
        payment = during_call.payment()
        assert payment
        gateway.execute(
            "INSERT INTO payments_simulatedoperation (gateway, key, kind, merchant, source,"
            " reference, parent_reference, amount, currency, outcome, decline_code)"
            " VALUES ('sim', %s, 'charge', '', '', '', '', 1, 'EUR', 'accepted', '')",
            [payment.public_id],
        )
        wait_for_blocked(2)

        ask_and_forget(platform, shops["before_call"]).join()
        wait_for(lambda: shops["before_call"].status() == "PROCESSING")
        yield


@contextmanager
def web_stands_at_each_point(platform: Stage, shops: dict[str, Shop]) -> Iterator[None]:
    """Five requests to one server, each at another point."""
    answered = begin_to_hear(platform, shops["answered"])
    waiting = waiting_in_commit(shops["in_commit"].merchant)
    with answered, waiting, holding() as key, transaction.atomic():
        claimed, written = shops["claimed"], shops["written"]
        PaymentFactory(merchant=claimed.merchant, idempotency_key=claimed.key)
        with connection.cursor() as cursor:
            cursor.execute(WRITE_KEY, [written.merchant.pk, CREATE_PAYMENT, written.key])
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [COMMIT_LOCK])
        committed = shops["committed"]
        key.execute(WRITE_KEY, [committed.merchant.pk, CREATE_PAYMENT, committed.key])
        for point in ("claimed", "written", "in_commit", "committed"):
            ask_and_forget(platform, shops[point])
        wait_for_blocked(4)

        platform.valkey.pause()  # where the answer is remembered, before it is given
        key.rollback()
        look = "SELECT FROM payments_payment WHERE merchant_id = %s"
        with psycopg.connect(database_url_of_tests(), autocommit=True) as watcher:
            wait_for(lambda: watcher.execute(look, [committed.merchant.pk]).rowcount == 1)
        yield
        platform.valkey.resume()
        transaction.set_rollback(True)


@contextmanager
def waiting_in_commit(merchant: Merchant) -> Iterator[None]:
    """Commits of this merchant's payments wait for COMMIT_LOCK, after all else is done."""
    with psycopg.connect(database_url_of_tests(), autocommit=True) as own:
        own.execute(WAIT_IN_COMMIT.format(merchant=merchant.pk))
        try:
            yield
        finally:
            own.execute(WAIT_NO_LONGER)


def begin_to_hear(platform: Stage, shop: Shop) -> socket.socket:
    """Ask for the payment and read the first byte of the answer, no more."""
    body = wish()
    head = (
        f"POST /api/v1/payments HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {shop.secret}"
        f"\r\nIdempotency-Key: {shop.key}\r\nContent-Type: application/json"
        f"\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    line = socket.create_connection(("127.0.0.1", platform.port), timeout=10)
    line.sendall(head.encode() + body)
    assert line.recv(1) == b"H"
    return line


@pytest.mark.django_db(transaction=True)
def test_idm_05_payments_survive_kill_9_at_nine_points(
    settings: LazySettings, tmp_path: Path
) -> None:
    settings.LEDGER_ANCHOR_FILE = f"{tmp_path}/anchors.log"
    shops = {point: Shop(point) for point in (*WORKER_POINTS, *WEB_POINTS)}

    with stage(SIMULATOR_LATENCY_SECONDS=GATEWAY_SECONDS, WORKER_CONCURRENCY="4") as platform:
        platform.open()
        with worker_stands_at_each_point(platform, shops):
            platform.kill_group("worker1")
        assert states(shops, WORKER_POINTS) == ["PROCESSING"] * 3 + ["SUCCEEDED"]

        with web_stands_at_each_point(platform, shops):
            platform.kill_group("web")
        first = {point: shop.payment() for point, shop in shops.items()}
        assert first["committed"]
        assert first["answered"]

        answers = {point: insist(platform, shop) for point, shop in shops.items()}
        wait_for(lambda: states(shops, shops) == ["SUCCEEDED"] * len(shops), DONE_WITHIN_SECONDS)

    for point, shop in shops.items():
        payment = Payment.objects.get(merchant=shop.merchant, idempotency_key=shop.key)
        assert answers[point].status_code == 202
        assert answers[point].json()["id"] == payment.public_id
        assert first[point] in (None, payment)
        assert SimulatedOperation.objects.filter(key=payment.public_id).count() == 1
        assert JournalEntry.objects.filter(reference=payment.public_id).count() == 1
    for point in (*WORKER_POINTS, "committed", "answered"):
        assert answers[point].headers["Idempotent-Replayed"] == "true"
    # Nine payments, and the one that opened an account.
    assert SimulatedOperation.objects.count() == JournalEntry.objects.count() == len(shops) + 1
    assert_invariants_hold()


def insist(platform: Stage, shop: Shop) -> httpx.Response:
    with Client(platform.base_url, shop.secret) as client:
        return client.insist(shop.key, seconds=INSIST_SECONDS)


def states(shops: dict[str, Shop], points: Iterable[str]) -> list[str]:
    return [shops[point].status() for point in points]
