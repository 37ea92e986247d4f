"""Somebody new comes in: password, a phone enrolled, recovery codes shown once, and out again."""

from base64 import b32decode
from typing import Any

from django.contrib.auth.models import User
from django_otp.oath import totp

from config.people.roles import Role
from tests.browser.conftest import Desk
from tests.support.back_office import PASSWORD, person


def test_newcomer_enrols_a_phone_and_comes_in(desk: Desk) -> None:
    person("newcomer@example.com", Role.VIEWER)
    browser = desk()
    page = browser.open("/admin/")

    page.get_by_label("Username").fill("newcomer@example.com")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.get_by_role("heading", name="Enrol your phone").wait_for()
    page.get_by_role("textbox", name="Code").fill(
        _shown_by_phone(page.locator("code").inner_text())
    )
    page.get_by_role("button", name="Enrol").click()
    page.get_by_role("heading", name="Your recovery codes").wait_for()
    assert page.locator("ul.font-mono li").count() == 10
    page.get_by_role("link", name="I have kept them").click()

    page.get_by_role("heading", name="Open discrepancies").wait_for()
    assert User.objects.get(username="newcomer@example.com").totpdevice_set.get().confirmed
    _leave(page)
    assert browser.open("/admin/").url.endswith("/admin/login/?next=/admin/")


def _shown_by_phone(secret: str) -> str:
    key = secret.replace(" ", "")
    return f"{totp(b32decode(key + '=' * (-len(key) % 8))):06d}"


def _leave(page: Any) -> None:
    page.get_by_text("newcomer@example.com").first.click()
    page.get_by_role("button", name="Log out").click()
    page.wait_for_load_state()
