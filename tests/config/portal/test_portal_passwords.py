"""One's own password, changed by who knows it."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from ledger.models import AuditEvent
from payments.models import Merchant
from payments.rate_limits import policy_of
from payments.services.logins import log_in, member_of, refresh_tokens
from tests.support.portal import (
    HOME,
    PASSWORD,
    Role,
    letters,
    member,
    text_of,
    visit,
)
from tests.support.portal_passwords import ANN, ANOTHER, CHANGE, FORGOTTEN, NEW, ask, link_in, works

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("clean_redis", "quick_passwords", "no_letter_is_left"),
]


def test_changed_password_counts_at_once_and_the_old_one_does_not(shop: Merchant) -> None:
    client = visit(shop, Role.VIEWER)

    answer = client.post(CHANGE, {"old_password": PASSWORD, **NEW})

    assert answer["Location"] == HOME
    assert "Your password is changed" in text_of(client.get(HOME))
    assert (works(PASSWORD), works(ANOTHER)) == (False, True)
    event = AuditEvent.objects.get(action="person.password_changed")
    assert event.actor_label == ANN
    (letter,) = letters()
    assert (letter.to, letter.subject) == ([ANN], "Your password was changed")
    for secret in (PASSWORD, ANOTHER):
        assert secret not in str(list(AuditEvent.objects.values())) + letter.body


def test_changed_password_ends_other_sessions_and_tokens_but_not_this_one(shop: Merchant) -> None:
    here, there = visit(shop), Client()
    there.force_login(shop.members.get().user)
    pair = log_in(ANN, PASSWORD)
    assert pair
    assert member_of(pair.access)
    before = here.cookies["sessionid"].value

    here.post(CHANGE, {"old_password": PASSWORD, **NEW})

    assert here.get(HOME).status_code == 200
    assert here.cookies["sessionid"].value != before
    assert there.get(HOME).status_code == 302
    assert member_of(pair.access) is None
    assert refresh_tokens(pair.refresh) is None


@pytest.mark.parametrize(
    "change",
    [
        {"old_password": "guess"},
        {"old_password": ""},
        {"new_password2": "something else"},
        {"new_password1": "short", "new_password2": "short"},
        {"new_password1": ANN, "new_password2": ANN},
        {"new_password1": "a1" * 65, "new_password2": "a1" * 65},
    ],
)
def test_password_is_not_changed_by_guessing_or_to_a_weak_one(
    shop: Merchant, change: dict[str, str]
) -> None:
    client = visit(shop)

    answer = client.post(CHANGE, {"old_password": PASSWORD, **NEW, **change})

    assert 'class="errorlist' in answer.content.decode()
    assert works(PASSWORD)
    assert letters() == []


def test_guesses_of_the_old_password_are_counted_as_at_the_door(shop: Merchant) -> None:
    client = visit(shop)
    for _ in range(10):
        client.post(CHANGE, {"old_password": "guess", **NEW})

    assert "tried too often" in text_of(client.post(CHANGE, {"old_password": PASSWORD, **NEW}))
    assert not works(PASSWORD)


def test_who_works_in_the_back_office_changes_the_password_there(shop: Merchant) -> None:
    client = visit(shop)
    User.objects.update(is_staff=True)

    assert client.get(CHANGE).status_code == 403
    assert client.post(CHANGE, {"old_password": PASSWORD, **NEW}).status_code == 403
    assert works(PASSWORD)


@pytest.mark.parametrize("page", ["forgotten", "change", "link"])
def test_tries_from_one_address_are_limited_like_logins(
    shop: Merchant, settings: Any, page: str
) -> None:
    client = visit(shop)
    ask()
    link = client.get(link_in(letters()[0]))["Location"]
    settings.RATE_LIMITS = settings.RATE_LIMITS | {"login": "2/60"}
    policy_of.cache_clear()
    where = {"forgotten": FORGOTTEN, "change": CHANGE, "link": link}[page]
    try:
        answers = [client.post(where, {"email": "nobody@example.com"}) for _ in range(5)]
    finally:
        policy_of.cache_clear()

    refused = [answer for answer in answers if answer.status_code == 429]
    assert refused
    assert all(int(answer["Retry-After"]) > 0 for answer in refused)


def test_forms_with_passwords_refuse_what_has_not_our_token(shop: Merchant) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(member(shop))

    assert strict.post(CHANGE, {"old_password": PASSWORD, **NEW}).status_code == 403
    assert strict.post(FORGOTTEN, {"email": ANN}).status_code == 403
    assert letters() == []
