"""Changes that somebody asks for, and somebody else who agrees."""

from datetime import date
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from config.people.roles import Role
from ledger.actors import Actor
from ledger.models import ChangeRequest
from ledger.services.changes import approve_change
from payments.models import Merchant
from payments.services.price_changes import Prices, ask_for_prices
from tests.factories import MerchantFactory
from tests.support.back_office import person

ASKER, BOSS = Actor("user", "7", "asker@example.com"), Actor("user", "99", "boss@example.com")


@pytest.fixture
def shop() -> Merchant:
    return MerchantFactory(code="shop")


@pytest.fixture
def ann() -> User:
    return person("ann@example.com", Role.VIEWER)


def today() -> date:
    return timezone.now().date()


def prices(shop: Merchant, points: int = 190, **fields: Any) -> ChangeRequest:
    terms = {"currency": "EUR", "method": "", "valid_from": today(), **fields}
    return ask_for_prices(shop, Prices(points), actor=ASKER, reason="New contract.", **terms)


def agree(change: ChangeRequest, *, actor: Actor = BOSS) -> ChangeRequest:
    return approve_change(change, actor=actor, reason="Agreed.")
