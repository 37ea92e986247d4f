"""What every page of the portal keeps to: members only, own rows only, nothing cached."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, reverse
from django.utils.http import urlsafe_base64_encode

from config.portal.invitations import invite
from config.portal.resets import tokens
from config.portal.urls import urlpatterns
from ledger.actors import Actor
from payments.models import Merchant
from payments.services.api_keys import issue_api_key
from settlements.services.batches import run_settlement
from tests.factories import MerchantFactory, SucceededPaymentFactory, SucceededRefundFactory, eur
from tests.support.endpoints import URL, endpoint
from tests.support.payouts import sent
from tests.support.portal import Role, member, visit

pytestmark = pytest.mark.django_db

SYSTEM = Actor.system("tests")
OPEN = {"sign_in", "sign_out", "choose", "join", "forgotten_password", "reset_password"}
FILES = {"statement", "payments_file"}
NAMED: list[URLPattern] = [each for each in urlpatterns if each.name]


@pytest.fixture
def shop() -> Merchant:
    return MerchantFactory(code="shop", name="Shop")


def belongings(merchant: Merchant) -> dict[str, Any]:
    """One thing of each kind, by the name that routes have for its id."""
    payment = SucceededPaymentFactory(merchant=merchant, money=eur("100.00"))
    SucceededRefundFactory(payment=payment, money=eur("20.00"))
    (batch,) = run_settlement(payment.effective_at.date(), actor=SYSTEM)
    payout = batch.payouts.get()
    sent([payout])
    key, _ = issue_api_key(merchant, name="web shop", scopes=["payments:read"])
    member(merchant, email="owner-of-all-this@example.com")
    owner = merchant.members.get(user__username="owner-of-all-this@example.com")
    endpoint(merchant)
    return {
        "payment_id": payment.public_id,
        "settlement_id": batch.public_id,
        "payout_id": payout.public_id,
        "key_id": key.public_id,
        "member_id": owner.pk,
        "token": invite(owner, "new@example.com", role=Role.VIEWER),
        "uidb64": urlsafe_base64_encode(str(owner.user_id).encode()),
        "reset_token": tokens.make_token(owner.user),
        "format": "csv",
    }


def urls(ids: dict[str, Any]) -> Iterator[tuple[str, str, bool]]:
    """Every page by name: its address with these ids, and whether it has any."""
    for pattern in NAMED:
        names = list(pattern.pattern.converters)
        arguments = {name: ids[name] for name in names}
        if pattern.name == "reset_password":
            arguments["token"] = ids["reset_token"]
        yield str(pattern.name), reverse(f"portal:{pattern.name}", kwargs=arguments), bool(names)


def test_ids_of_another_merchant_are_not_found_on_any_page(shop: Merchant) -> None:
    ids = belongings(MerchantFactory(code="other", name="Other"))
    client = visit(shop)

    walked = 0
    for name, url, has_id in urls(ids):
        if has_id and name not in OPEN:
            walked += 1
            answers = (client.get(url), client.post(url, {"sure": "on", "role": "viewer"}))
            assert answers[0].status_code == 404, name
            assert answers[1].status_code in (404, 405), name
            assert "owner-of-all-this" not in answers[0].content.decode()
    assert walked == 11


def test_endpoints_are_listed(shop: Merchant) -> None:
    url = reverse("portal:webhooks")
    client = visit(shop, Role.VIEWER)
    assert "There are none yet" in client.get(url).content.decode()

    endpoint(shop, "payment.succeeded")

    page = client.get(url).content.decode()
    assert URL in page
    assert "payment.succeeded" in page
    assert "Enabled" in page


def test_own_ids_are_found_on_every_page(shop: Merchant) -> None:
    ids = belongings(shop)
    client = visit(shop)

    for name, url, _ in urls(ids):
        if name != "sign_out":
            assert client.get(url, follow=True).status_code == 200, name


def test_every_page_turns_strangers_away(shop: Merchant) -> None:
    ids = belongings(shop)

    for name, url, _ in urls(ids):
        if name not in OPEN:
            assert Client().get(url)["Location"].startswith(reverse("portal:sign_in")), name


def test_no_list_shows_a_row_of_another_merchant(shop: Merchant) -> None:
    theirs = belongings(MerchantFactory(code="other", name="Other"))
    client = visit(shop)

    for name, url, has_id in urls(theirs):
        if not has_id and name not in OPEN:
            page = b"".join(client.get(url)).decode()
            for value in (theirs[each] for each in theirs if each.endswith("_id")):
                assert f"/{value}/" not in page, name
            assert URL not in page, name


def test_nothing_is_cached_and_no_page_runs_or_loads_anything(shop: Merchant) -> None:
    ids = belongings(shop)
    client = visit(shop)

    for name, url, _ in urls(ids):
        answer = client.get(url)
        assert answer["Cache-Control"] == "no-store", name
        assert answer["Content-Security-Policy"].startswith("default-src 'none'; style-src"), name
        if name not in {"sign_out", *FILES}:
            page = client.get(url, follow=True).content.decode()
            assert not [each for each in LOADS if each in page], name


# What runs a script, is style of its own, or asks another server for something.
LOADS = ("<script", "style=", "<style", "src=", 'href="http', "@import")

# Pages each role sees, of those that ask for more than being a member.
ROLES = {
    Role.OWNER: {"new_payment", "refund", "keys", "key", "members", "member"},
    Role.ADMIN: {"new_payment", "refund", "keys", "key"},
    Role.DEVELOPER: {"keys", "key"},
    Role.VIEWER: set(),
}


@pytest.mark.parametrize("role", list(Role))
def test_roles_see_what_their_scopes_allow(shop: Merchant, role: Role) -> None:
    ids = belongings(shop)
    client = visit(shop, role)
    gated = set().union(*ROLES.values())

    for name, url, _ in urls(ids):
        answer = client.get(url)
        if name in gated:
            assert answer.status_code == (200 if name in ROLES[role] else 403), name
            assert (f'href="{url}"' in client.get(reverse("portal:overview")).content.decode()) == (
                name in ("keys", "members") and name in ROLES[role]
            ), name


@pytest.mark.parametrize(
    "path", ["nothing/", "payments/a/b/", "payments/pay_1/", "members/99999999999999999999999/"]
)
def test_what_is_not_there_is_a_page_that_says_so(shop: Merchant, path: str) -> None:
    answer = visit(shop).get(f"/portal/{path}")

    assert answer.status_code == 404
    assert 'role="alert"' in answer.content.decode()


def test_pages_tell_times_in_the_merchants_zone(shop: Merchant) -> None:
    Merchant.objects.filter(pk=shop.pk).update(time_zone="Asia/Tokyo")

    assert "Times are in Asia/Tokyo." in visit(shop).get("/portal/").content.decode()


def test_pages_tell_screen_readers_where_they_are(shop: Merchant) -> None:
    client = visit(shop)

    for name, url, has_id in urls(belongings(shop)):
        if name not in {"sign_out", *FILES}:
            page = client.get(url, follow=True).content.decode()
            assert page.count("<h1>") == 1, name
            assert '<html lang="en">' in page
            if name not in OPEN and not has_id and name != "new_payment":
                assert page.count('aria-current="page"') == 1, name
