"""People with passwords, and their tokens."""

from typing import Any

import pytest
from django.contrib.auth.models import User

from ledger.actors import Actor
from payments.models import MerchantMember
from tests.support.api import Api

EMAIL, PASSWORD = "ann@example.com", " a long password with spaces "
SIGN_UP = {"name": "Ann's Café", "email": EMAIL, "password": PASSWORD}
SYSTEM = Actor.system("tests")
Role = MerchantMember.Role


@pytest.fixture
def quick_passwords(settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def ann() -> User:
    assert Api(None).post("/merchants/register", SIGN_UP).status_code == 201
    return User.objects.get(username=EMAIL)


def tokens(**fields: Any) -> dict[str, str]:
    response = Api(None).post("/auth/token", {"email": EMAIL, "password": PASSWORD, **fields})
    assert response.status_code == 200, response.content
    return response.json()


def refresh(token: str) -> Any:
    return Api(None).post("/auth/token/refresh", {"refresh": token})
