"""How an owner lets other people in: a link to pass on, a password, and they are members."""

import time
from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from ledger.actors import Actor
from ledger.models import AuditEvent
from payments.models import Merchant
from payments.services.members import change_role, remove_member
from tests.factories import MerchantFactory
from tests.support.portal import HOME, PASSWORD, Role, member, sign_in, text_of, visit

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_redis", "quick_passwords")]

MEMBERS = reverse("portal:members")
SYSTEM = Actor.system("tests")
CHOICE = {"new_password1": PASSWORD, "new_password2": PASSWORD}


@pytest.fixture
def quick_passwords(settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def shop() -> Merchant:
    return MerchantFactory(code="shop", name="Shop")


def link_for(shop: Merchant, email: str = "bob@example.com", role: str = Role.DEVELOPER) -> str:
    owner = shop.members.filter(role=Role.OWNER).first()
    client = Client()
    client.force_login(owner.user if owner else member(shop))
    response = client.post(MEMBERS, {"email": email, "role": role})
    assert response.status_code == 201
    return urlsplit(response.context["link"]).path


def roles(shop: Merchant) -> dict[str, str]:
    return dict(shop.members.values_list("user__username", "role"))


def test_newcomer_sets_a_password_and_is_in_with_the_role_of_the_link(shop: Merchant) -> None:
    link, bob = link_for(shop, "Bob@Example.com"), Client()
    assert "bob@example.com" in text_of(bob.get(link))

    bob.post(link, CHOICE)

    assert roles(shop) == {"ann@example.com": "owner", "bob@example.com": "developer"}
    assert "bob@example.com, developer" in text_of(bob.get(HOME))
    assert sign_in("bob@example.com")[1].status_code == 302
    actions = AuditEvent.objects.filter(action__startswith="member.").order_by("pk")
    assert [event.action for event in actions][1:] == [
        "member.invited",
        "member.added",
        "member.joined",
    ]


def test_who_has_an_account_gives_its_password(shop: Merchant) -> None:
    member(MerchantFactory(code="other", name="Other"), email="bob@example.com")
    link, bob = link_for(shop), Client()

    wrong = bob.post(link, {"password": "guess"})
    assert "This is not the password" in text_of(wrong)
    assert "bob@example.com" not in roles(shop)
    assert bob.get(HOME).status_code == 302

    bob.post(link, {"password": PASSWORD})
    assert roles(shop)["bob@example.com"] == "developer"
    assert "<strong>Shop</strong>" in text_of(bob.get(HOME))


def test_account_that_is_there_is_not_given_another_password(shop: Merchant) -> None:
    before = member(MerchantFactory(code="other"), email="bob@example.com").password

    Client().post(link_for(shop), CHOICE)

    assert User.objects.get(username="bob@example.com").password == before
    assert "bob@example.com" not in roles(shop)


@pytest.mark.parametrize("password", ["short", "12345678901", "bob@example.com"])
def test_weak_password_is_refused(shop: Merchant, password: str) -> None:
    answer = Client().post(link_for(shop), {"new_password1": password, "new_password2": password})

    assert 'class="errorlist' in answer.content.decode()
    assert not User.objects.filter(username="bob@example.com").exists()


def test_link_counts_once_even_for_somebody_who_was_removed(shop: Merchant) -> None:
    link = link_for(shop)
    Client().post(link, CHOICE)
    remove_member(shop.members.get(user__username="bob@example.com"), actor=SYSTEM)

    assert Client().get(link).status_code == 409
    assert Client().post(link, {"password": PASSWORD}).status_code == 409
    assert roles(shop) == {"ann@example.com": "owner"}


def test_another_link_does_not_bring_somebody_back_who_was_removed(shop: Merchant) -> None:
    other, link = link_for(shop), link_for(shop)
    Client().post(link, CHOICE)
    remove_member(shop.members.get(user__username="bob@example.com"), actor=SYSTEM)

    assert Client().post(other, {"password": PASSWORD}).status_code == 409
    assert roles(shop) == {"ann@example.com": "owner"}


def test_link_is_over_when_the_address_is_invited_anew(shop: Merchant) -> None:
    as_owner = link_for(shop, role=Role.OWNER)
    as_viewer = link_for(shop, role=Role.VIEWER)
    link_for(shop, "eve@example.com")
    other = MerchantFactory(code="other")
    member(other, email="zoe@example.com")
    link_for(other)

    assert Client().post(as_owner, CHOICE).status_code == 409
    Client().post(as_viewer, CHOICE)

    assert roles(shop)["bob@example.com"] == "viewer"


def test_who_was_removed_comes_back_by_a_new_link(shop: Merchant) -> None:
    Client().post(link_for(shop), CHOICE)
    remove_member(shop.members.get(user__username="bob@example.com"), actor=SYSTEM)

    Client().post(link_for(shop, role=Role.ADMIN), {"password": PASSWORD})

    assert roles(shop)["bob@example.com"] == "admin"


def test_password_of_the_link_is_one_that_the_api_takes(shop: Merchant) -> None:
    long = {"new_password1": "a1" * 65, "new_password2": "a1" * 65}

    answer = Client().post(link_for(shop), long)

    assert "at most 128 characters" in text_of(answer)
    assert "bob@example.com" not in roles(shop)


@pytest.mark.parametrize(("seconds", "status"), [(-60, 200), (60, 409)])
def test_link_is_over_after_three_days(
    shop: Merchant, monkeypatch: pytest.MonkeyPatch, seconds: int, status: int
) -> None:
    link = link_for(shop)
    later = time.time() + timedelta(days=3).total_seconds() + seconds
    monkeypatch.setattr("django.core.signing.time", SimpleNamespace(time=lambda: later))

    assert Client().get(link).status_code == status


def test_link_is_over_when_its_maker_is_no_owner_any_more(shop: Merchant) -> None:
    link = link_for(shop)
    member(shop, email="eve@example.com")
    change_role(shop.members.get(user__username="ann@example.com"), role="admin", actor=SYSTEM)

    assert Client().post(link, CHOICE).status_code == 409


def test_link_that_was_changed_opens_nothing(shop: Merchant) -> None:
    link = link_for(shop)

    assert Client().get(link[:-3] + "xx/").status_code == 409
    assert Client().get(reverse("portal:join", args=["x"])).status_code == 409


def test_only_owners_invite(shop: Merchant) -> None:
    admin = visit(shop, Role.ADMIN)

    assert admin.post(MEMBERS, {"email": "b@example.com", "role": "owner"}).status_code == 403
    assert not AuditEvent.objects.filter(action="member.invited").exists()
