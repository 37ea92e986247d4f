"""People of a shop, their passwords and the letters about them."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from ledger.actors import Actor
from payments.models import Merchant
from tests.factories import MerchantFactory
from tests.support.portal import (
    letters,
    sign_in,
)

CHANGE = reverse("portal:password")
FORGOTTEN = reverse("portal:forgotten_password")
ANOTHER = "another long password"
NEW = {"new_password1": ANOTHER, "new_password2": ANOTHER}
ANN = "ann@example.com"
SYSTEM = Actor.system("tests")


@pytest.fixture
def quick_passwords(settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def no_letter_is_left() -> Iterator[None]:
    yield
    letters()


@pytest.fixture
def shop() -> Merchant:
    return MerchantFactory(code="shop", name="Shop")


def works(password: str, email: str = ANN) -> bool:
    return bool(sign_in(email, password)[1].status_code == 302)


def ask(email: str = ANN) -> Any:
    return Client().post(FORGOTTEN, {"email": email})


def link_in(letter: Any) -> str:
    (link,) = re.findall(r"^http://testserver(/portal/password/\S+)$", letter.body, re.MULTILINE)
    return str(link)
