"""Asked again, answered alike: the tests of the idempotency contract, by their names."""

import json
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from ledger.models import JournalEntry
from payments import answers
from payments.models import ApiKey, IdempotencyKey, Payment, Refund, SimulatedOperation
from payments.services import idempotency
from payments.services.idempotency import purge_idempotency_keys
from payments.services.processing import process_payments
from tests.factories import ApiKeyFactory, MerchantFactory
from tests.support.api import Api, WebClient, assert_problem
from tests.support.books import assert_books_balance
from tests.support.races import run_together

BODY = b'{"amount":"100.00","currency":"EUR","source":"tok_visa","reference":"order-7"}'
OTHER = b'{"amount":"99.00","currency":"EUR","source":"tok_visa","reference":"order-7"}'


def ask(api: Api, *, key: str | None = "k1", body: bytes = BODY) -> Any:
    """One POST of the raw body, on a client of its own."""
    headers = dict(api.authorization)
    if key is not None:
        headers["Idempotency-Key"] = key
    return WebClient().post(
        "/api/v1/payments", body, content_type="application/json", headers=headers
    )


def without_redis(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "recall", lambda *_: None)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("turn", range(5))
def test_idm_01_fifty_requests_with_one_key_make_one_payment(api: Api, turn: int) -> None:
    answered = run_together(*[lambda: ask(api)] * 50)

    statuses = Counter(response.status_code for response in answered)
    bodies = {response.content for response in answered if response.status_code == 202}
    assert set(statuses) <= {202, 409}
    assert len(bodies) == 1
    assert Payment.objects.count() == 1

    again = ask(api)
    assert (again.status_code, {again.content}) == (202, bodies)
    assert again["Idempotent-Replayed"] == "true"

    process_payments()
    assert SimulatedOperation.objects.count() == 1
    assert JournalEntry.objects.filter(kind="payment").count() == 1
    assert_books_balance()


@pytest.mark.django_db(transaction=True)
def test_idm_02_fifty_requests_with_one_key_and_two_bodies_have_one_effect(api: Api) -> None:
    answered = run_together(*[lambda body=body: ask(api, body=body) for body in [BODY, OTHER] * 25])

    payment = Payment.objects.get()
    assert {response.status_code for response in answered} <= {202, 409, 422}
    bodies = {response.content for response in answered if response.status_code == 202}
    (body,) = bodies
    assert json.loads(body)["amount"] == payment.money.text


@pytest.mark.django_db
@pytest.mark.parametrize(
    "key",
    ["", " ", "a b", "a\tb", "k" * 256, "\x00", "\x7f", "é", "two,keys", '"a","b"'],
    ids=lambda key: key[:5].encode("unicode_escape").decode(),
)
def test_idm_03_what_is_no_key_is_refused(api: Api, key: str) -> None:
    assert_problem(ask(api, key=key), 400, "idempotency_key_invalid")
    assert not Payment.objects.exists()


@pytest.mark.django_db
def test_idm_03_missing_key_is_refused(api: Api) -> None:
    assert_problem(ask(api, key=None), 400, "idempotency_key_missing")
    assert not Payment.objects.exists()


@pytest.mark.django_db
def test_idm_03_quotes_around_a_key_do_not_matter(api: Api) -> None:
    first, again = ask(api, key='"k1"'), ask(api, key="k1")

    assert (again.status_code, again.content) == (202, first.content)
    assert again["Idempotent-Replayed"] == "true"
    assert again["Original-Request-Id"] == first["Request-Id"] != again["Request-Id"]


@pytest.mark.django_db
def test_idm_04_key_of_another_merchant_is_another_key(api: Api) -> None:
    other = Api(ApiKeyFactory(merchant=MerchantFactory()).secret)

    ours, theirs = ask(api).json(), ask(other).json()

    assert ours["id"] != theirs["id"]
    assert ours["merchant_id"] != theirs["merchant_id"]
    assert Payment.objects.count() == 2


@pytest.mark.django_db
def test_idm_04_key_of_another_operation_is_another_key(api: Api) -> None:
    payment = ask(api, key="k1").json()
    process_payments()

    refund = api.post(f"/payments/{payment['id']}/refunds", {"amount": "30.00"}, key="k1")

    assert refund.status_code == 202
    assert "Idempotent-Replayed" not in refund
    assert (Payment.objects.count(), Refund.objects.count()) == (1, 1)


@pytest.mark.django_db
def test_idm_06_unknown_outcome_is_asked_about_under_one_key_until_it_is_known(api: Api) -> None:
    payment_id = ask(api, body=BODY.replace(b"tok_visa", b"tok_timeout")).json()["id"]

    process_payments()
    unknown = api.get(f"/payments/{payment_id}").json()
    Payment.objects.update(due_at=timezone.now(), leased_until=timezone.now())
    process_payments()

    assert unknown["status"] == "PROCESSING"
    assert api.get(f"/payments/{payment_id}").json()["status"] == "SUCCEEDED"
    assert list(SimulatedOperation.objects.values_list("key", flat=True)) == [payment_id]


@pytest.mark.django_db
def test_idm_07_after_the_purge_the_reference_still_makes_it_one(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask(api)
    IdempotencyKey.objects.update(created_at=timezone.now() - timedelta(days=31))
    without_redis(monkeypatch)

    assert purge_idempotency_keys() == 1

    assert_problem(ask(api), 409, "duplicate_reference")
    assert Payment.objects.count() == 1


@pytest.mark.django_db
def test_purge_forgets_all_that_is_old_some_at_a_time(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(idempotency, "KEYS_PER_PURGE", 2)
    for number in range(7):
        api.pay(f"k{number}")
    young = ["k1", "k6"]  # and one among the old ones: requests may overtake each other
    old = IdempotencyKey.objects.exclude(key__in=young)
    old.update(created_at=timezone.now() - timedelta(days=31))

    assert purge_idempotency_keys() == 5

    assert sorted(IdempotencyKey.objects.values_list("key", flat=True)) == young


@pytest.mark.django_db
def test_purge_keeps_what_is_younger(api: Api) -> None:
    ask(api)
    IdempotencyKey.objects.update(created_at=timezone.now() - timedelta(days=29))

    assert purge_idempotency_keys() == 0


@pytest.mark.django_db
def test_idm_09_answers_are_not_repeated_to_who_may_not_ask(api: Api) -> None:
    ask(api)

    ApiKey.objects.update(scopes=[ApiKey.Scope.PAYMENTS_READ])
    assert_problem(ask(api), 403, "permission_denied")
    ApiKey.objects.update(revoked_at=timezone.now())
    assert ask(api).status_code == 401


@pytest.mark.django_db
def test_refused_request_does_not_burn_its_key(api: Api) -> None:
    refused = ask(api, body=BODY.replace(b"100.00", b"0.00"))

    accepted = ask(api)

    assert (refused.status_code, accepted.status_code) == (422, 202)
    assert "Idempotent-Replayed" not in accepted


@pytest.mark.django_db
def test_body_written_in_another_order_is_another_request(api: Api) -> None:
    ask(api)
    other = b'{"currency":"EUR","amount":"100.00","source":"tok_visa","reference":"order-7"}'

    assert_problem(ask(api, body=other), 422, "idempotency_key_reused")


@pytest.mark.django_db
def test_postgresql_repeats_the_answer_when_redis_has_forgotten_it(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = ask(api)
    without_redis(monkeypatch)

    again = ask(api)

    assert (again.content, again["Location"]) == (first.content, first["Location"])
    assert again["Idempotent-Replayed"] == "true"
