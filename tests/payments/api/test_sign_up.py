"""Signing up: a merchant, its owner and a wallet."""

import json
from typing import Any

import pytest
from django.contrib.auth.models import User

from ledger.models import Account, AuditEvent
from payments.models import Merchant, MerchantMember
from tests.support.api import Api, assert_problem
from tests.support.people import EMAIL, SIGN_UP

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quick_passwords")]


def test_signing_up_makes_a_merchant_its_owner_and_a_wallet() -> None:
    response = Api(None).post("/merchants/register", SIGN_UP)

    body = response.json()
    merchant = Merchant.objects.get()
    account = Account.objects.get()
    member = MerchantMember.objects.get()
    assert response.status_code == 201
    assert (body["id"], body["code"]) == (merchant.public_id, merchant.code)
    assert (body["name"], body["email"]) == ("Ann's Café", EMAIL)
    assert body["account"] == {"id": account.public_id, "code": "wallet-usd", "currency": "USD"}
    assert (account.owner, account.floor) == (merchant.public_id, 0)
    assert (member.user.username, member.merchant, member.role) == (EMAIL, merchant, "owner")
    assert list(AuditEvent.objects.order_by("id").values_list("action", "actor_label")) == [
        ("merchant.signed_up", EMAIL),
        ("member.added", EMAIL),
        ("account.opened", EMAIL),
    ]


def test_wallet_has_the_currency_that_was_asked_for() -> None:
    Api(None).post("/merchants/register", {**SIGN_UP, "currency": "EUR"})

    assert (Account.objects.get().code, Account.objects.get().currency) == ("wallet-eur", "EUR")


def test_code_of_a_new_merchant_is_never_one_that_somebody_could_configure() -> None:
    for number in range(3):
        wish = {**SIGN_UP, "name": "bike-shop", "email": f"{number}@example.com"}
        assert Api(None).post("/merchants/register", wish).status_code == 201

    codes = list(Merchant.objects.values_list("code", flat=True))
    assert len(set(codes)) == 3
    assert all(len(code) == len("bike-shop-12345678") for code in codes)


@pytest.mark.parametrize("name", ["Кафе", "!!!", "x" * 120])
def test_any_name_makes_a_code(name: str) -> None:
    response = Api(None).post("/merchants/register", {**SIGN_UP, "name": name})

    assert response.status_code == 201
    assert len(Merchant.objects.get().code) <= 40


@pytest.mark.parametrize("email", [EMAIL, "Ann@Example.com"])
def test_email_address_signs_up_once(ann: User, email: str) -> None:
    response = Api(None).post("/merchants/register", {**SIGN_UP, "email": email})

    assert_problem(response, 409, "email_taken")
    assert (User.objects.count(), Merchant.objects.count(), Account.objects.count()) == (1, 1, 1)


@pytest.mark.parametrize("password", ["sh0rt!x", "12345678901", "password1", EMAIL])
def test_weak_password_is_refused_and_nothing_is_made(password: str) -> None:
    response = Api(None).post("/merchants/register", {**SIGN_UP, "password": password})

    body = assert_problem(response, 422, "password_too_weak")
    assert password not in json.dumps(body)
    assert (User.objects.count(), Merchant.objects.count(), Account.objects.count()) == (0, 0, 0)


@pytest.mark.parametrize(
    "change",
    [
        *({"email": "ann"}, {"email": f"{'a' * 150}@example.com"}, {"name": ""}, {"name": None}),
        *({"currency": "XXX"}, {"role": "owner"}, {"password": ["a long password"]}),
    ],
    ids=str,
)
def test_malformed_sign_up_is_refused(change: dict[str, Any]) -> None:
    response = Api(None).post("/merchants/register", {**SIGN_UP, **change})

    assert response.status_code == 422, response.content
    assert not User.objects.exists()
