"""People log in with e-mail address and password."""

import pytest
from django.contrib.auth.models import User

from payments.models import Login, Payment
from payments.services.members import add_member
from tests.factories import ApiKeyFactory, GatewayFactory, MerchantFactory
from tests.support.api import Api, assert_problem
from tests.support.people import EMAIL, PASSWORD, SYSTEM, Role, refresh, tokens

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quick_passwords")]


def test_person_logs_in_and_takes_a_payment(ann: User) -> None:
    GatewayFactory()
    api = Api(tokens()["access"])

    me = api.get("/auth/me").json()
    paid = api.pay(key="k1")

    merchant = ann.memberships.get().merchant
    assert (me["kind"], me["name"], me["role"]) == ("user", EMAIL, "owner")
    assert me["merchant"]["id"] == merchant.public_id
    assert "payments:write" in me["scopes"]
    assert "operator" not in me["scopes"]
    assert paid.status_code == 202
    assert Payment.objects.get().merchant == merchant
    assert paid.json()["created_by"] == f"user:{EMAIL}"
    assert api.get("/merchants/me").json() == me["merchant"]


def test_key_is_told_who_it_is() -> None:
    issued = ApiKeyFactory(name="till")

    me = Api(issued.secret).get("/auth/me").json()

    assert (me["kind"], me["id"], me["name"], me["role"]) == (
        *("api_key", issued.record.public_id, "till"),
        None,
    )


def test_email_address_is_read_in_any_case(ann: User) -> None:
    assert tokens(email="ANN@example.COM")["access"]


@pytest.mark.parametrize(
    "fields",
    [{"password": PASSWORD.strip()}, {"password": "x"}, {"email": "bob@example.com"}],
    ids=str,
)
def test_wrong_email_or_password_is_401_and_does_not_say_which(
    ann: User, fields: dict[str, str]
) -> None:
    response = Api(None).post("/auth/token", {"email": EMAIL, "password": PASSWORD, **fields})

    body = assert_problem(response, 401, "authentication_failed")
    assert body["detail"] == "The e-mail address or the password is wrong."
    assert response["WWW-Authenticate"] == "Bearer"
    assert not Login.objects.exists()


def test_person_who_left_the_company_cannot_log_in(ann: User) -> None:
    User.objects.update(is_active=False)

    response = Api(None).post("/auth/token", {"email": EMAIL, "password": PASSWORD})

    assert_problem(response, 401, "authentication_failed")


def test_operator_without_a_merchant_gets_no_token() -> None:
    User.objects.create_superuser(EMAIL, password=PASSWORD)

    response = Api(None).post("/auth/token", {"email": EMAIL, "password": PASSWORD})

    assert_problem(response, 403, "no_membership")


def test_person_with_several_merchants_says_which(ann: User) -> None:
    first, second, strange = ann.memberships.get().merchant, MerchantFactory(), MerchantFactory()
    add_member(second, ann, role=Role.VIEWER, actor=SYSTEM)
    credentials = {"email": EMAIL, "password": PASSWORD}

    unsaid = Api(None).post("/auth/token", credentials)
    foreign = Api(None).post("/auth/token", {**credentials, "merchant_id": strange.public_id})

    body = assert_problem(unsaid, 422, "merchant_not_chosen")
    assert first.public_id in body["detail"]
    assert strange.public_id not in body["detail"]
    assert_problem(foreign, 404, "merchant_not_found")
    for merchant, role in ((first, "owner"), (second, "viewer")):
        me = Api(tokens(merchant_id=merchant.public_id)["access"]).get("/auth/me").json()
        assert (me["merchant"]["id"], me["role"]) == (merchant.public_id, role)


def test_answers_with_secrets_are_not_to_be_stored(ann: User) -> None:
    response = Api(None).post("/auth/token", {"email": EMAIL, "password": PASSWORD})

    assert response["Cache-Control"] == "no-store"
    assert refresh(response.json()["refresh"])["Cache-Control"] == "no-store"
