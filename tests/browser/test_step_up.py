"""An approval outlasts the second factor: it is asked for again in the middle; nothing is lost."""

from importlib import import_module
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django_otp.plugins.otp_totp.models import TOTPDevice

from config.people.second_factor import FRESH_SECONDS, PASSED_AT
from ledger.actors import Actor
from ledger.models import AuditEvent
from reconciliation.models import Discrepancy
from reconciliation.services.write_offs import propose_write_off
from tests.browser.conftest import Desk
from tests.browser.office import address_of
from tests.browser.steps import answer, begin_step
from tests.browser.watch import Watched
from tests.support.back_office import code_of

WHY = "They told us in March, and wrote it again."


def test_approval_goes_through_after_the_second_factor_was_asked_for_in_its_middle(
    desk: Desk,
) -> None:
    found = Discrepancy.objects.get(type="deposit_short")
    maker = Actor.user(User.objects.get(username=address_of("maker")))
    told = {"kind": "write_off", "reason_code": "charges", "reason": "Too small."}
    write_off = propose_write_off(found, actor=maker, **told)
    checker = desk("checker")
    page = checker.open("/admin/")

    page.get_by_role("link", name="Write-offs to decide").click()
    page.locator("#result_list tbody th a").click()
    begin_step(page, "Approve")
    _let_the_code_grow_old(checker)
    answer(page, reason=WHY)

    page.get_by_text("This step needs your second factor again").wait_for()
    write_off.refresh_from_db()
    assert write_off.status == "REQUESTED"
    _give_the_next_code(page)

    page.get_by_text("posted").first.wait_for()
    write_off.refresh_from_db()
    assert (write_off.status, write_off.decided_by) == ("POSTED", "user:checker@example.com")
    assert AuditEvent.objects.get(action="write_off.approved").reason == WHY


def test_page_of_an_approval_is_shown_after_the_second_factor(desk: Desk) -> None:
    found = Discrepancy.objects.get(type="deposit_short")
    maker = Actor.user(User.objects.get(username=address_of("maker")))
    told = {"kind": "write_off", "reason_code": "charges", "reason": "Too small."}
    write_off = propose_write_off(found, actor=maker, **told)
    checker = desk("checker", java_script_enabled=False)
    page = checker.open(f"/admin/reconciliation/writeoff/{write_off.pk}/change/")
    _let_the_code_grow_old(checker)

    page.get_by_role("link", name="Approve", exact=True).click()
    _give_the_next_code(page)

    page.get_by_text("Just this is posted").wait_for()
    answer(page, reason=WHY)
    write_off.refresh_from_db()
    assert write_off.status == "POSTED"


def _let_the_code_grow_old(browser: Watched) -> None:
    cookies = {each["name"]: each["value"] for each in browser.context.cookies()}
    store = import_module(settings.SESSION_ENGINE).SessionStore
    session = store(cookies[settings.SESSION_COOKIE_NAME])
    session[PASSED_AT] -= FRESH_SECONDS + 1
    session.save()


def _give_the_next_code(page: Any) -> None:
    """A code counts once; this one the phone shows half a minute after signing in."""
    phone = TOTPDevice.objects.get(user__username=address_of("checker"))
    page.get_by_label("Code").fill(code_of(phone, steps=1))
    with page.expect_navigation():
        page.get_by_role("button", name="Go on").click()
