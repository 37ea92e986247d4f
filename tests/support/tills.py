"""A merchant with a till and a safe, and money moved between them."""

from typing import Any

import pytest
from django.utils import timezone

from ledger.models import Account
from ledger.money import Money
from payments.models import ApiKey, Merchant, Transfer
from payments.services.transfers import refund_transfer
from tests.factories import ApiKeyFactory
from tests.support.api import Api
from tests.support.transfers import ACTOR, decided, purse, transferred

TODAY = {"startDate": f"{timezone.now():%Y-%m-%d}", "endDate": f"{timezone.now():%Y-%m-%d}"}


@pytest.fixture
def teller(shop: Merchant) -> Api:
    """May do all a key can do for the shop."""
    return Api(ApiKeyFactory(merchant=shop, scopes=ApiKey.Scope.values).secret)


@pytest.fixture
def till(shop: Merchant) -> Account:
    return purse(shop, "till")


@pytest.fixture
def safe(shop: Merchant) -> Account:
    return purse(shop, "safe", "0.00")


@pytest.fixture
def moved(till: Account, safe: Account) -> Transfer:
    """30.00 from the till to the safe, 10.00 of it back, and one that failed."""
    made = transferred(till, safe, "30.00")
    decided(refund_transfer(made, money=Money(10_00, "EUR"), idempotency_key="r", actor=ACTOR))
    transferred(till, safe, "1000.00")
    return made


def reconcile(teller: Api, account: str = "till", **period: str) -> dict[str, Any]:
    response = teller.post(f"/accounts/{account}/reconcile", {**TODAY, **period}, key=None)
    assert response.status_code == 201, response.content
    return response.json()


def difference(teller: Api, account: str = "till") -> tuple[str, str, str]:
    body = teller.get(f"/accounts/{account}/reconciliation-difference", **TODAY).json()
    return body["ledger_balance"], body["transaction_balance"], body["difference"]
