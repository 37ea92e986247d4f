"""Payments of one merchant that arrive at once are one statement, and each gets its own answer."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import psycopg
import pytest
from django.db import connection, transaction
from django.utils import timezone
from psycopg._queries import MAX_CACHED_STATEMENT_LENGTH

from ledger.sql import statement
from payments.answers import Answer
from payments.key_format import digest_of
from payments.models import ApiKey, IdempotencyKey, Merchant, Payment
from payments.services import writing_together
from payments.services.payments import (
    CREATE_PAYMENT,
    Draft,
    PaymentWish,
    create_payment,
    create_payments,
    draft_of,
)
from payments.services.writing_together import write_together
from tests.factories import ACTOR, ApiKeyFactory, MerchantFactory, eur
from tests.support.api import Api
from tests.support.own_names import database_url_of_tests
from tests.support.races import meanwhile
from tests.support.servers import wait_for

pytestmark = pytest.mark.django_db(transaction=True)
WRITE_KEY = """
INSERT INTO payments_idempotencykey (
    merchant_id, route, key, request_digest, request_id, http_status, location, body
) VALUES (%s, %s, %s, '', '', 202, '', '')
"""
STATEMENTS = "SELECT xmin FROM payments_payment WHERE reference = ANY(%s)"
BLOCKED = """
SELECT pid FROM pg_stat_activity
WHERE datname = current_database() AND wait_event_type = 'Lock' AND application_name = 'tieout'
"""


@contextmanager
def held_up(shop: Merchant, key: str) -> Iterator[None]:
    """Nobody can write a payment of this merchant under this key until the block ends."""
    with psycopg.connect(database_url_of_tests()) as holder:
        holder.execute(WRITE_KEY, [shop.pk, CREATE_PAYMENT, key])
        yield
        holder.rollback()


def blocked() -> list[int]:
    with psycopg.connect(database_url_of_tests(), autocommit=True) as watcher:
        return [pid for (pid,) in watcher.execute(BLOCKED).fetchall()]


def number_waiting(shop: Merchant) -> int:
    return len(writing_together._queues.get(shop.pk, ()))


def ask_while_one_is_written(shop: Merchant, *asking: Callable[[], Any]) -> list[Any]:
    """What each is answered when all of them come while another payment is being written."""
    first = Api(ApiKeyFactory(merchant=shop).secret)
    with ExitStack() as threads, held_up(shop, "f"):
        outcomes = [threads.enter_context(meanwhile(lambda: first.pay("f", reference="first")))]
        wait_for(blocked)
        for number, ask in enumerate(asking, 1):
            outcomes.append(threads.enter_context(meanwhile(ask)))
            wait_for(lambda number=number: number_waiting(shop) == number)
    assert outcomes[0][0].status_code == 202
    assert writing_together._queues == {}
    return [outcome for (outcome,) in outcomes[1:]]


def statements_of(*references: str) -> list[int]:
    with psycopg.connect(database_url_of_tests()) as connection:
        return [xmin for (xmin,) in connection.execute(STATEMENTS, [list(references)]).fetchall()]


def test_those_who_wait_are_written_by_one_statement(api: Api, shop: Merchant) -> None:
    answers = ask_while_one_is_written(
        shop, *[lambda name=name: api.pay(name, reference=name) for name in ("a", "b", "c")]
    )

    assert [answer.status_code for answer in answers] == [202, 202, 202]
    assert [answer.json()["reference"] for answer in answers] == ["a", "b", "c"]
    assert len(statements_of("a", "b", "c")) == 3
    assert len(set(statements_of("a", "b", "c"))) == 1
    assert set(statements_of("a")) != set(statements_of("first"))
    kept = IdempotencyKey.objects.get(key="b")
    assert bytes(kept.body) == answers[1].content
    assert kept.request_id == answers[1]["Request-Id"]


def test_same_key_twice_in_a_group_is_one_payment_and_its_replay(api: Api, shop: Merchant) -> None:
    one, other = ask_while_one_is_written(
        shop, *[lambda: api.pay("k", reference="a"), lambda: api.pay("k", reference="a")]
    )

    assert one.status_code == other.status_code == 202
    assert one.content == other.content
    assert [("Idempotent-Replayed" in answer) for answer in (one, other)].count(True) == 1
    assert Payment.objects.filter(reference="a").count() == 1
    assert IdempotencyKey.objects.filter(key="k").count() == 1


def test_same_key_for_two_wishes_in_a_group_is_a_mismatch(api: Api, shop: Merchant) -> None:
    answers = ask_while_one_is_written(
        shop, *[lambda: api.pay("k", reference="a"), lambda: api.pay("k", reference="b")]
    )

    assert sorted(answer.status_code for answer in answers) == [202, 422]
    (paid,) = Payment.objects.filter(reference__in="ab")
    assert json.loads(bytes(IdempotencyKey.objects.get(key="k").body))["id"] == paid.public_id


def test_same_reference_twice_in_a_group_is_refused_once(api: Api, shop: Merchant) -> None:
    answers = ask_while_one_is_written(
        shop, *[lambda: api.pay("k", reference="a"), lambda: api.pay("l", reference="a")]
    )

    assert sorted(answer.status_code for answer in answers) == [202, 409]
    paid = Payment.objects.get(reference="a")
    (kept,) = IdempotencyKey.objects.filter(key__in="kl")
    assert kept.key == paid.idempotency_key


def test_key_that_was_revoked_is_refused_beside_one_that_counts(api: Api, shop: Merchant) -> None:
    revoked = ApiKeyFactory(merchant=shop)
    assert Api(revoked.secret).pay().status_code == 202  # the lane knows it
    ApiKey.objects.filter(digest=digest_of(revoked.secret)).update(revoked_at=timezone.now())

    answers = ask_while_one_is_written(
        shop,
        lambda: Api(revoked.secret).pay("k", reference="a"),
        lambda: api.pay("l", reference="b"),
    )

    assert [answer.status_code for answer in answers] == [401, 202]
    assert not Payment.objects.filter(reference="a").exists()


def test_merchants_do_not_wait_for_each_other(api: Api, shop: Merchant) -> None:
    other = Api(ApiKeyFactory(merchant=MerchantFactory()).secret)

    with ExitStack() as threads, held_up(shop, "k"):
        waiting = threads.enter_context(meanwhile(lambda: api.pay("k")))
        wait_for(blocked)
        assert other.pay("k").status_code == 202
        assert waiting == []

    assert waiting[0].status_code == 202


def test_who_has_waited_long_enough_goes_by_himself(
    api: Api, shop: Merchant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A writer that hangs does not keep all threads of its process."""
    monkeypatch.setattr(writing_together, "PATIENCE_SECONDS", 0.1)
    payment = draft_of(shop, PaymentWish(eur("1.00"), "tok_visa"), idempotency_key="l", actor=ACTOR)

    with ExitStack() as threads, held_up(shop, "k"):
        waiting = threads.enter_context(meanwhile(lambda: api.pay("k")))
        wait_for(blocked)
        is_written = write_together(shop, Draft(payment, Answer(202, b"{}")))
        assert (is_written, number_waiting(shop), waiting) == (False, 0, [])

    assert waiting[0].status_code == 202
    assert Payment.objects.count() == 1


def test_payments_of_a_group_survive_the_loss_of_its_connection(api: Api, shop: Merchant) -> None:
    """Each goes the ordinary way, which finds out by its key what became of it."""
    wish = PaymentWish(eur("1.00"), "tok_visa", reference="b")
    with ExitStack() as threads, transaction.atomic():
        create_payment(shop, wish, idempotency_key="somebody's", actor=ACTOR)
        with held_up(shop, "a"):
            outcomes = [threads.enter_context(meanwhile(lambda: api.pay("a", reference="a")))]
            wait_for(blocked)
            for number, name in enumerate("bc", 1):
                ask = meanwhile(lambda name=name: api.pay(name, reference=name))
                outcomes.append(threads.enter_context(ask))
                wait_for(lambda number=number: number_waiting(shop) == number)
        wait_for(lambda: Payment.objects.filter(reference="a").exists() and blocked())
        with psycopg.connect(database_url_of_tests(), autocommit=True) as killer:
            killer.execute("SELECT pg_terminate_backend(%s)", blocked())
        wait_for(lambda: Payment.objects.filter(reference="c").exists())
        transaction.set_rollback(True)

    assert [outcome.status_code for (outcome,) in outcomes] == [202, 202, 202]
    assert sorted(Payment.objects.values_list("reference", flat=True)) == ["a", "b", "c"]
    assert sorted(IdempotencyKey.objects.values_list("key", flat=True)) == ["a", "b", "c"]


def test_plan_of_the_statement_is_kept(shop: Merchant, api: Api) -> None:
    """However many payments there are: planning costs more than writing one."""
    api.pay()  # so that there is a gateway
    for round_number, number in enumerate([1, 1, 1, 1, 1, 3, 20, 1]):
        wishes = [PaymentWish(eur("1.00"), "tok_visa") for _ in range(number)]
        drafts = [
            Draft(
                draft_of(shop, wish, idempotency_key=f"{round_number} {index}", actor=ACTOR),
                Answer(202, b"{}"),
            )
            for index, wish in enumerate(wishes)
        ]
        assert len(create_payments(shop, drafts)) == number

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT generic_plans, custom_plans FROM pg_prepared_statements"
            " WHERE starts_with(statement, '-- Write payments down')"
        )
        ((kept, _),) = cursor.fetchall()
    assert kept >= 3
    # Longer ones the driver reads anew each time.
    assert len(statement("payments", "create_payments")) <= MAX_CACHED_STATEMENT_LENGTH
