"""Who gets into the portal, for which merchant, and out again."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from ledger.actors import Actor
from ledger.models import AuditEvent
from payments.models import Merchant
from payments.rate_limits import policy_of
from payments.services.members import remove_member
from tests.factories import MerchantFactory, PaymentFactory
from tests.support.back_office import person
from tests.support.portal import HOME, PASSWORD, SIGN_IN, Role, member, sign_in, text_of, visit
from tests.support.servers import own_valkey

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_redis", "quick_passwords")]

PAYMENTS = reverse("portal:payments")
SYSTEM = Actor.system("tests")


@pytest.fixture
def quick_passwords(settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def shop() -> Merchant:
    return MerchantFactory(code="shop", name="Ann's Café")


def test_member_with_the_right_password_is_in_and_signing_out_ends_it(shop: Merchant) -> None:
    ann = member(shop)

    client, response = sign_in("Ann@Example.com")

    assert (response.status_code, response["Location"]) == (302, HOME)
    assert "Ann&#x27;s Café" in client.get(HOME).content.decode()
    client.post(reverse("portal:sign_out"))
    assert client.get(HOME).status_code == 302
    events = AuditEvent.objects.filter(subject=f"user:{ann.pk}").order_by("pk")
    assert [event.action for event in events] == ["sign_in.accepted", "sign_in.ended"]


def test_wrong_password_and_unknown_address_get_the_same_answer(shop: Merchant) -> None:
    member(shop)

    wrong = sign_in(password="guess")[1]
    unknown = sign_in("nobody@example.com", "guess")[1]

    assert wrong.status_code == unknown.status_code == 200
    assert "are not right together" in text_of(wrong)
    assert wrong.context["form"].errors == unknown.context["form"].errors


def test_nobody_gets_in_who_is_no_member(shop: Merchant) -> None:
    person("maker@example.com")
    User.objects.create_superuser("root@example.com", password=PASSWORD)

    for email in ("maker@example.com", "root@example.com"):
        client, response = sign_in(email)
        assert "You act for no merchant." in text_of(response)
        assert client.get(HOME).status_code == 302
        client.force_login(User.objects.get(username=email))
        assert client.get(PAYMENTS)["Location"].startswith(SIGN_IN)


def test_who_is_removed_is_out_with_the_next_page(shop: Merchant) -> None:
    client = visit(shop)
    member(shop, email="bob@example.com")
    assert client.get(PAYMENTS).status_code == 200

    ann = shop.members.get(user__username="ann@example.com")
    remove_member(ann, actor=SYSTEM)

    assert client.get(PAYMENTS).status_code == 302


def test_who_acts_for_several_merchants_chooses_one_and_sees_only_it(shop: Merchant) -> None:
    other = MerchantFactory(code="other", name="Other shop")
    PaymentFactory(merchant=shop, reference="OURS-1")
    PaymentFactory(merchant=other, reference="THEIRS-1")
    member(shop)
    member(other, Role.VIEWER)
    client, _ = sign_in()

    to_choice = client.get(PAYMENTS)
    assert to_choice["Location"].startswith(reverse("portal:choose"))
    chosen = client.post(to_choice["Location"], {"merchant": other.public_id, "next": PAYMENTS})

    assert chosen["Location"] == PAYMENTS
    page = text_of(client.get(PAYMENTS))
    assert "THEIRS-1" in page
    assert "OURS-1" not in page
    assert client.get(reverse("portal:keys")).status_code == 403  # a viewer there


def test_nobody_chooses_a_merchant_that_is_not_theirs(shop: Merchant) -> None:
    other = MerchantFactory(code="other")
    client = visit(shop)

    response = client.post(reverse("portal:choose"), {"merchant": other.public_id})

    assert response.status_code == 404
    assert "other" not in text_of(client.get(HOME))


@pytest.mark.parametrize(
    ("wanted", "goes_to"),
    [
        (PAYMENTS, PAYMENTS),
        ("https://evil.example/portal/", HOME),
        ("//evil.example/portal/", HOME),
        ("/admin/", HOME),
    ],
)
def test_way_in_leads_on_within_the_portal_only(shop: Merchant, wanted: str, goes_to: str) -> None:
    member(shop)

    assert sign_in(next=wanted)[1]["Location"] == goes_to


def test_guesses_from_one_address_are_limited_like_logins_of_the_api(
    shop: Merchant, settings: Any
) -> None:
    settings.RATE_LIMITS = settings.RATE_LIMITS | {"login": "2/60"}
    policy_of.cache_clear()
    try:
        answers = [sign_in("nobody@example.com", "guess")[1] for _ in range(3)]
    finally:
        policy_of.cache_clear()

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert int(answers[2]["Retry-After"]) > 0


def test_without_redis_nobody_signs_in(shop: Merchant, settings: Any) -> None:
    member(shop)
    with own_valkey() as server:
        settings.REDIS_URL = server.url
        server.kill()
        client, response = sign_in()

    assert response.status_code == 503
    assert client.get(HOME).status_code == 302


def test_after_ten_wrong_passwords_the_right_one_is_refused(shop: Merchant) -> None:
    member(shop)
    for _ in range(10):
        sign_in(password="guess")

    assert "are not right together" in text_of(sign_in()[1])


def test_forms_without_our_token_are_refused(shop: Merchant) -> None:
    member(shop)

    response = Client(enforce_csrf_checks=True).post(
        SIGN_IN, {"username": "ann@example.com", "password": PASSWORD}
    )

    assert response.status_code == 403
