"""Who may call, and that nobody sees what belongs to another."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from config.demo.seed import DEMO_KEY
from payments.key_format import is_well_formed, new_key
from payments.models import ApiKey, Payment, Refund
from tests.factories import ApiKeyFactory, RefundFactory, SucceededPaymentFactory
from tests.support.api import Api, assert_problem

PATHS = ["/payments", "/payments/pay_1", "/payments/pay_1/refunds", "/refunds/re_1"]


@pytest.mark.django_db
@pytest.mark.parametrize("path", PATHS)
def test_caller_without_a_key_is_not_known(path: str) -> None:
    response = Api(None).get(path)

    assert_problem(response, 401, "not_authenticated")
    assert response["WWW-Authenticate"] == "Bearer"


@pytest.mark.django_db
@pytest.mark.parametrize(
    "secret", ["tk_unknown", "0", "x" * 10_000, "tk_é", "\x00", "' OR 1=1 --", "tk unknown"]
)
def test_unknown_key_is_refused(secret: str) -> None:
    assert_problem(Api(secret).pay(), 401, "authentication_failed")

    assert not Payment.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize("method", ["get", "pay"])
def test_sec_02_mistyped_key_costs_no_look_into_the_database(method: str) -> None:
    secret = ApiKeyFactory().secret
    mistyped = secret[:20] + ("A" if secret[20] != "A" else "B") + secret[21:]
    api = Api(mistyped)

    with CaptureQueriesContext(connection) as queries:
        response = api.get("/payments") if method == "get" else api.pay()

    assert_problem(response, 401, "authentication_failed")
    assert [query["sql"] for query in queries.captured_queries] == []


@pytest.mark.parametrize("place", range(0, 62, 3))
def test_checksum_finds_any_changed_character(place: int) -> None:
    key = new_key()
    changed = key[:place] + ("x" if key[place] != "x" else "y") + key[place + 1 :]

    assert len(key) == 62
    assert is_well_formed(key)
    assert not is_well_formed(changed)


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["api_key", "access_token", "Token", "key", "note"])
def test_sec_02_secret_in_the_url_is_refused_even_beside_a_good_one(name: str) -> None:
    secret = ApiKeyFactory().secret

    for api in (Api(None), Api(secret)):
        response = api.get("/payments", **{name: secret})

        body = assert_problem(response, 400, "secret_in_url")
        assert secret not in str(body)


@pytest.mark.django_db
def test_two_authorization_headers_are_no_key() -> None:
    """Servers join them by a comma."""
    api = Api(ApiKeyFactory().secret)
    one = api.authorization["Authorization"]
    api.authorization = {"Authorization": f"{one}, {one}"}

    assert_problem(api.get("/payments"), 401, "authentication_failed")


@pytest.mark.django_db
def test_demo_key_works_outside_production_only(settings: Any) -> None:
    ApiKeyFactory(secret=DEMO_KEY)
    assert Api(DEMO_KEY).get("/payments").status_code == 200

    settings.IS_PRODUCTION = True

    assert_problem(Api(DEMO_KEY).get("/payments"), 401, "authentication_failed")


@pytest.mark.django_db
@pytest.mark.parametrize("change", ["revoked_at", "expires_at"])
def test_key_that_was_revoked_or_has_expired_is_refused(change: str) -> None:
    api = Api(ApiKeyFactory().secret)
    assert api.get("/payments").status_code == 200

    ApiKey.objects.update(**{change: timezone.now() - timedelta(seconds=10)})

    assert_problem(api.get("/payments"), 401, "authentication_failed")
    assert_problem(api.pay(), 401, "authentication_failed")
    assert not Payment.objects.exists()


@pytest.mark.django_db
def test_revoked_key_does_not_replay_answers() -> None:
    api = Api(ApiKeyFactory().secret)
    api.pay(key="k1")

    ApiKey.objects.update(revoked_at=timezone.now())

    assert_problem(api.pay(key="k1"), 401, "authentication_failed")


@pytest.mark.django_db
def test_key_that_expires_later_still_works() -> None:
    api = Api(ApiKeyFactory().secret)

    ApiKey.objects.update(expires_at=timezone.now() + timedelta(minutes=1))

    assert api.get("/payments").status_code == 200


@pytest.mark.django_db
@pytest.mark.parametrize(
    "authorization",
    ["{secret}", "Basic {secret}", "Token {secret}", "Bearer", "Bearer ", "bearer{secret}"],
)
def test_key_is_a_bearer_token(authorization: str) -> None:
    api = Api(ApiKeyFactory().secret)
    secret = api.authorization["Authorization"].removeprefix("Bearer ")
    api.authorization = {"Authorization": authorization.format(secret=secret)}

    assert_problem(api.get("/payments"), 401, "not_authenticated")


@pytest.mark.django_db
def test_scheme_is_read_in_any_case() -> None:
    api = Api(ApiKeyFactory().secret)
    api.authorization = {"Authorization": api.authorization["Authorization"].replace("B", "b", 1)}

    assert api.get("/payments").status_code == 200


@pytest.mark.django_db
def test_key_needs_the_scope_of_what_it_does() -> None:
    reader = Api(ApiKeyFactory(scopes=[ApiKey.Scope.PAYMENTS_READ]).secret)
    writer = Api(ApiKeyFactory(scopes=[ApiKey.Scope.PAYMENTS_WRITE]).secret)

    refusal = assert_problem(reader.pay(), 403, "permission_denied")
    assert refusal["detail"] == "This needs the scope payments:write."
    assert_problem(writer.get("/payments"), 403, "permission_denied")
    assert reader.get("/payments").status_code == 200
    assert writer.pay().status_code == 202
    assert Payment.objects.count() == 1


@pytest.mark.django_db
def test_secret_is_not_stored() -> None:
    issued = ApiKeyFactory()

    stored = ApiKey.objects.values().get()

    assert re.fullmatch(r"tk_\w{8}_\w{43}_\w{6}", issued.secret, re.ASCII)
    assert issued.secret not in str(stored)
    assert issued.record.prefix == issued.secret[:11]


@pytest.mark.django_db
def test_last_use_of_a_key_is_remembered_to_the_minute() -> None:
    issued = ApiKeyFactory()
    api = Api(issued.secret)

    api.get("/payments")

    first = ApiKey.objects.get().last_used_at
    assert first is not None
    api.get("/payments")
    assert ApiKey.objects.get().last_used_at == first


@pytest.mark.django_db
def test_what_belongs_to_another_merchant_is_not_there() -> None:
    payment = SucceededPaymentFactory()
    refund = RefundFactory(payment=payment)
    stranger = Api(ApiKeyFactory().secret)

    theirs = stranger.get(f"/payments/{payment.public_id}")
    nobodys = stranger.get("/payments/pay_0")

    theirs_body = assert_problem(theirs, 404, "payment_not_found")
    nobodys_body = assert_problem(nobodys, 404, "payment_not_found")
    assert theirs_body["detail"] == nobodys_body["detail"] == "There is no such payment."
    assert_problem(stranger.get(f"/refunds/{refund.public_id}"), 404, "refund_not_found")
    assert_problem(stranger.get(f"/payments/{payment.public_id}/refunds"), 404, "payment_not_found")
    assert stranger.get("/payments").json()["results"] == []


@pytest.mark.django_db
def test_payment_of_another_merchant_cannot_be_refunded() -> None:
    payment = SucceededPaymentFactory()
    stranger = Api(ApiKeyFactory().secret)

    response = stranger.post(f"/payments/{payment.public_id}/refunds", {})

    payment.refresh_from_db()
    assert_problem(response, 404, "payment_not_found")
    assert (payment.amount_refunded, Refund.objects.count()) == (0, 0)


@pytest.mark.django_db
def test_cursor_of_another_merchant_is_refused() -> None:
    theirs = Api(ApiKeyFactory().secret)
    for _ in range(3):
        theirs.pay()
    cursor = theirs.get("/payments", limit="1").json()["next_cursor"]

    mine = Api(ApiKeyFactory().secret)
    mine.pay()

    assert_problem(mine.get("/payments", cursor=cursor), 400, "invalid_cursor")
