"""The back office: what a payment would cost, and adjustments by two people."""

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from payments.models import Merchant
from settlements.models import Adjustment
from tests.factories import MerchantFactory
from tests.support.books import balances

pytestmark = pytest.mark.django_db

ASK = reverse("admin:settlements_adjustment_ask_for")
QUOTE = reverse("admin:payments_feeplan_quote")


def person(name: str, *permissions: str) -> Client:
    user = User.objects.create_user(name, is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def shop() -> Merchant:
    return MerchantFactory(code="shop")


def test_quote_says_what_a_payment_would_cost_and_changes_nothing(shop: Merchant) -> None:
    client = person("auditor", "view_feeplan")
    wish = {"merchant": shop.pk, "amount": "100.00", "currency": "EUR", "date": "2026-03-02"}

    said = client.post(QUOTE, wish).content.decode()
    wrong = client.post(QUOTE, {**wish, "amount": "0.00"}).content.decode()

    assert "100.00 EUR: fee 3.20 EUR, net 96.80 EUR; fee plan shop EUR from 2020-01-01." in said
    assert "The amount must be more than zero." in wrong
    assert balances() == {}
    assert person("nobody").post(QUOTE, wish).status_code == 403


def test_adjustment_is_asked_for_by_one_and_approved_by_another(shop: Merchant) -> None:
    both = ("request_adjustment", "approve_adjustment", "view_adjustment")
    maker, checker = person("maker", *both), person("checker", *both)
    wish = {"merchant": shop.pk, "amount": "-7.50", "currency": "EUR", "reason": "double credit"}

    maker.post(ASK, wish)
    asked = Adjustment.objects.get()
    approve = reverse("admin:settlements_adjustment_approve", args=[asked.pk])
    own = maker.post(approve, {"reason": "mine"}).content.decode()
    assert "must be approved by somebody else" in own
    assert balances() == {}
    checker.post(approve, {"reason": "checked"})

    asked.refresh_from_db()
    assert (asked.status, asked.decided_by) == ("POSTED", "user:checker")
    assert balances()["income:differences:EUR"] == (0, 7_50)
    assert person("nobody", "view_adjustment").post(ASK, wish).status_code == 403


def test_refused_adjustment_moves_nothing(shop: Merchant) -> None:
    both = ("request_adjustment", "approve_adjustment", "view_adjustment")
    maker = person("maker", *both, "refuse_adjustment")
    wish = {"merchant": shop.pk, "amount": "x", "currency": "EUR", "reason": "a wish"}
    assert "is not a plain decimal number" in maker.post(ASK, wish).content.decode()

    maker.post(ASK, {**wish, "amount": "5.00"})
    asked = Adjustment.objects.get()
    maker.post(reverse("admin:settlements_adjustment_refuse", args=[asked.pk]), {"reason": "no"})

    asked.refresh_from_db()
    assert asked.status == "REFUSED"
    assert balances() == {}
