"""A merchant's own pages in a browser: read on a desk and a phone, worked by keyboard alone."""

from typing import Any

from django.contrib.auth.models import User
from django.urls import reverse
from django.utils.http import urlsafe_base64_encode

from config.demo.seed import OWNER, PASSWORD
from config.portal.resets import tokens
from payments.models import Merchant, Payment, Refund
from payments.services.api_keys import issue_api_key
from settlements.models import Payout, SettlementBatch
from tests.browser.axe import DESK, PHONE, troubles
from tests.browser.conftest import Desk
from tests.browser.office import Office
from tests.browser.watch import Watched
from tests.support.portal import HOME, SIGN_IN, letters

TABS_MAX = 60
ANOTHER = "another long password"


def enter(browser: Watched) -> Any:
    """Sign in as the owner of `shop()`."""
    page = browser.open(SIGN_IN)
    page.get_by_label("E-mail").fill(OWNER)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("heading", name="Overview").wait_for()
    return page


def shop() -> Merchant:
    return Merchant.objects.get(members__user__username=OWNER)


def paid(merchant: Merchant) -> Payment:
    return Payment.objects.filter(merchant=merchant, status="SUCCEEDED", amount_refunded=0).first()


def member_pages(merchant: Merchant) -> dict[str, str]:
    batch = SettlementBatch.objects.filter(merchant=merchant).first()
    payout = Payout.objects.filter(batch__merchant=merchant).first()
    member = merchant.members.first()
    key, _ = issue_api_key(merchant, name="web shop", scopes=["payments:read"])
    with_id = {
        "payment": paid(merchant).public_id,
        "refund": paid(merchant).public_id,
        "settlement": batch.public_id,
        "payout": payout.public_id,
        "key": key.public_id,
        "member": member.pk,
    }
    plain = (
        *("overview", "payments", "new_payment", "settlements", "payouts", "reconciliation"),
        *("webhooks", "keys", "members", "password", "choose"),
    )
    return {name: reverse(f"portal:{name}") for name in plain} | {
        name: reverse(f"portal:{name}", args=[value]) for name, value in with_id.items()
    }


def open_pages() -> dict[str, str]:
    ann = User.objects.get(username=OWNER)
    pair = [urlsafe_base64_encode(str(ann.pk).encode()), tokens.make_token(ann)]
    return {
        "sign in": SIGN_IN,
        "forgotten": reverse("portal:forgotten_password"),
        "reset": reverse("portal:reset_password", args=pair),
    }


def test_axe_finds_nothing_serious_on_a_desk_in_light_and_on_a_phone_in_dark(desk: Desk) -> None:
    merchant = shop()
    found = []
    for screen in ({"viewport": DESK}, {"viewport": PHONE, "color_scheme": "dark"}):
        browser = desk(**screen)
        for name, path in open_pages().items():
            found += looked_at(browser, name, path)
        enter(browser)
        for name, path in member_pages(merchant).items():
            found += looked_at(browser, name, path)

    assert found == []


def looked_at(browser: Watched, name: str, path: str) -> list[str]:
    """What axe finds, and whether the page is wider than the screen."""
    page = browser.open(path)
    wide = page.evaluate("document.documentElement.scrollWidth > innerWidth")
    return [f"{name}: {trouble}" for trouble in troubles(page)] + [f"{name}: too wide"] * wide


def tab_to(page: Any, what: str) -> None:
    """Press Tab until what this selects has the focus, which can be seen there."""
    for _ in range(TABS_MAX):
        page.keyboard.press("Tab")
        if page.evaluate("what => document.activeElement.matches(what)", what):
            outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
            assert outline != "none", what
            return
    raise AssertionError(f"Tab does not lead to {what} on {page.url}")


def follow(page: Any, what: str) -> None:
    tab_to(page, what)
    with page.expect_navigation():
        page.keyboard.press("Enter")


def test_payment_is_refunded_by_keyboard_alone(desk: Desk, office: Office) -> None:
    merchant = shop()
    payment = paid(merchant)
    detail = reverse("portal:payment", args=[payment.public_id])
    page = enter(desk())

    tab_to(page, ".skip")
    follow(page, f'nav a[href="{reverse("portal:payments")}"]')
    follow(page, f'a[href="{detail}"]')
    follow(page, f'a[href="{reverse("portal:refund", args=[payment.public_id])}"]')
    tab_to(page, "input[name=amount]")
    page.keyboard.press("Control+A")
    page.keyboard.type("1.00")
    tab_to(page, "input[name=reason]")
    page.keyboard.type("Came late")
    follow(page, "main form button")

    assert page.url == f"{office.url}{detail}"
    assert "A refund of 1.00" in page.get_by_role("status").inner_text()
    assert page.get_by_role("region", name="Refunds").get_by_text("Pending").count() == 1
    assert Refund.objects.get(payment=payment).reason == "Came late"


def test_forgotten_password_is_set_anew_on_a_phone(desk: Desk, office: Office) -> None:
    page = desk(viewport=PHONE).open(SIGN_IN)
    page.get_by_role("link", name="Forgot your password?").click()
    page.get_by_label("E-mail").fill(OWNER)
    page.get_by_role("button", name="Send me a link").click()
    page.get_by_role("heading", name="Look into your mailbox").wait_for()
    (letter,) = letters()
    (link,) = [line for line in letter.body.splitlines() if line.startswith(office.url)]

    page.goto(link)
    page.locator("input[name=new_password1]").fill(ANOTHER)
    page.locator("input[name=new_password2]").fill(ANOTHER)
    page.get_by_role("button", name="Set password").click()
    page.get_by_text("Your password is set").wait_for()
    page.get_by_label("E-mail").fill(OWNER)
    page.get_by_label("Password").fill(ANOTHER)
    page.get_by_role("button", name="Sign in").click()

    page.get_by_role("heading", name="Overview").wait_for()
    assert link.rsplit("/", 2)[1] not in page.content()


def test_list_is_loaded_as_a_file(desk: Desk) -> None:
    merchant = shop()
    page = enter(desk())
    page.goto(page.url.replace(HOME, reverse("portal:payments")) + "?status=SUCCEEDED")

    with page.expect_download() as waiting:
        page.get_by_role("link", name="as CSV").click()

    rows = waiting.value.path().read_text().splitlines()
    assert rows[0].startswith("id,reference,status,amount,")
    assert len(rows) == 1 + Payment.objects.filter(merchant=merchant, status="SUCCEEDED").count()
    assert waiting.value.suggested_filename.startswith(f"payments-{merchant.code}-")
