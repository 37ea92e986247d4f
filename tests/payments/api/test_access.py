"""Who may call, and that nobody sees what belongs to another."""

from datetime import timedelta

import pytest
from django.utils import timezone

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
@pytest.mark.parametrize("change", ["revoked_at", "expires_at"])
def test_key_that_was_revoked_or_has_expired_is_refused(change: str) -> None:
    api = Api(ApiKeyFactory().secret)
    assert api.get("/payments").status_code == 200

    ApiKey.objects.update(**{change: timezone.now()})

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

    assert_problem(reader.pay(), 403, "permission_denied")
    assert_problem(writer.get("/payments"), 403, "permission_denied")
    assert reader.get("/payments").status_code == 200
    assert writer.pay().status_code == 202
    assert Payment.objects.count() == 1


@pytest.mark.django_db
def test_secret_is_not_stored() -> None:
    issued = ApiKeyFactory()

    stored = ApiKey.objects.values().get()

    assert issued.secret.startswith("tk_")
    assert len(issued.secret) == 46
    assert issued.secret not in str(stored)
    assert issued.record.prefix == issued.secret[:8]


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
def test_cursor_of_another_merchant_shows_only_ones_own() -> None:
    theirs = Api(ApiKeyFactory().secret)
    for _ in range(3):
        theirs.pay()
    cursor = theirs.get("/payments", limit="1").json()["next_cursor"]

    mine = Api(ApiKeyFactory().secret)
    mine.pay()

    assert mine.get("/payments", cursor=cursor).json()["results"] == []
