"""Two programs with the same refresh token or the same key to rotate: one of them gets the next."""

import pytest
from django.contrib.auth.models import User

from ledger.actors import Actor
from payments.errors import ApiKeyOver
from payments.models import ApiKey, Login, MerchantMember
from payments.services.api_keys import rotate_api_key
from payments.services.logins import log_in, refresh_tokens
from payments.services.members import add_member
from tests.factories import ApiKeyFactory, MerchantFactory
from tests.support.races import run_together

SYSTEM = Actor.system("tests")


@pytest.mark.django_db(transaction=True)
def test_refresh_token_counts_once_however_many_send_it_at_once() -> None:
    user = User.objects.create_user("ann@example.com", password="a long password")
    add_member(MerchantFactory(), user, role=MerchantMember.Role.OWNER, actor=SYSTEM)
    tokens = log_in("ann@example.com", "a long password")
    assert tokens is not None

    results = run_together(*[lambda: refresh_tokens(tokens.refresh)] * 4)

    assert len([result for result in results if result is not None]) == 1
    assert Login.objects.get().ended_at is not None


@pytest.mark.django_db(transaction=True)
def test_key_is_rotated_once_however_many_try_at_once() -> None:
    key = ApiKeyFactory().record

    outcomes = run_together(*[lambda: rotate_api_key(key, actor=SYSTEM)] * 4)

    assert sum(isinstance(outcome, ApiKeyOver) for outcome in outcomes) == 3
    assert ApiKey.objects.count() == 2
