"""Letters with links: to whom they go, how often, and what is shown meanwhile."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from ledger.models import AuditEvent
from payments.models import Merchant
from payments.services.members import remove_member
from tests.support.back_office import person
from tests.support.portal import (
    PASSWORD,
    SIGN_IN,
    letters,
    member,
    text_of,
    visit,
)
from tests.support.portal_passwords import ANN, CHANGE, FORGOTTEN, NEW, SYSTEM, ask

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("clean_redis", "quick_passwords", "no_letter_is_left"),
]


def test_answer_is_the_same_for_an_address_that_nobody_has(shop: Merchant) -> None:
    member(shop)
    person("maker@example.com")

    answers = [text_of(ask(email)) for email in (ANN, "nobody@example.com", "maker@example.com")]

    assert len(set(answers)) == 1
    assert [letter.to for letter in letters()] == [[ANN]]
    assert AuditEvent.objects.filter(action="person.reset_asked").count() == 3
    assert "nobody@example.com" not in str(list(AuditEvent.objects.values()))


def test_letters_go_to_active_members_who_do_not_work_in_the_back_office(shop: Merchant) -> None:
    member(shop, email="staff@example.com")
    member(shop, email="gone@example.com")
    member(shop, email="shut@example.com")
    User.objects.filter(username="staff@example.com").update(is_staff=True)
    User.objects.filter(username="shut@example.com").update(is_active=False)
    member(shop)
    remove_member(shop.members.get(user__username="gone@example.com"), actor=SYSTEM)

    for who in ("staff", "gone", "shut"):
        ask(f"{who}@example.com")

    assert letters() == []


def test_three_letters_an_hour_are_enough_for_one_mailbox(shop: Merchant) -> None:
    member(shop)
    answers = {text_of(ask()) for _ in range(5)}

    assert len(answers) == 1
    assert len(letters()) == 3


def test_without_e_mail_no_link_is_offered(shop: Merchant, settings: Any) -> None:
    settings.SENDS_EMAIL = False
    client = visit(shop)

    assert FORGOTTEN not in text_of(Client().get(SIGN_IN))
    assert (Client().get(FORGOTTEN).status_code, ask().status_code) == (409, 409)
    assert client.post(CHANGE, {"old_password": PASSWORD, **NEW}).status_code == 302
    assert letters() == []


def test_letter_that_nobody_takes_is_logged_and_changes_no_answer(
    shop: Merchant, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    member(shop)
    unknown = text_of(ask("nobody@example.com"))
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1  # nobody listens there

    known = text_of(ask())

    assert letters() == []
    assert known == unknown
    assert "portal.letter_lost" in caplog.text


def test_in_a_bare_checkout_the_letter_is_printed(
    shop: Merchant, settings: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    member(shop)
    settings.EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"

    ask()

    letters()
    printed = capsys.readouterr().out
    assert "To: ann@example.com" in printed
    assert "http://testserver/portal/password/" in printed
