"""Changes on pages: asked for, shown as they are, decided by who may."""

import pytest
from django.contrib.auth.models import User
from django.urls import reverse

from config.people.access import ask_for_roles
from config.people.roles import Role, roles_of
from ledger.models import ChangeRequest
from payments.models import Merchant
from tests.support.back_office import browser_of, person
from tests.support.changes import ASKER, prices

pytestmark = pytest.mark.django_db


def test_pages_ask_show_and_decide(ann: User) -> None:
    asks = browser_of(person("sec@example.com", Role.SECURITY))
    decides = browser_of(person("boss@example.com", Role.CONTROLLER))
    asks.post(
        reverse("admin:auth_user_ask_for_roles", args=[ann.pk]),
        {"roles": ["Finance checker"], "reason": "Moved."},
    )
    change = ChangeRequest.objects.get()
    approve, refuse, withdraw = (
        reverse(f"admin:ledger_changerequest_{step}", args=[change.pk])
        for step in ("approve", "refuse", "withdraw")
    )

    page = decides.get(approve).content.decode()
    assert "roles: Finance checker (now Viewer)" in page
    assert "user:sec@example.com asked for it: Moved." in page
    assert asks.get(approve).status_code == asks.get(refuse).status_code == 403
    assert decides.get(withdraw).status_code == 403
    assert "This field is required" in decides.post(approve, {"reason": ""}).content.decode()
    decides.post(approve, {"reason": "Her boss confirmed it."})

    assert roles_of(ann) == ["Finance checker"]
    shown = decides.get(reverse("admin:ledger_changerequest_change", args=[change.pk]))
    assert change.digest in shown.content.decode()


def test_a_superuser_asks_and_does_not_agree_with_himself(ann: User) -> None:
    root = browser_of(User.objects.create_superuser("root@example.com"))
    root.post(
        reverse("admin:auth_user_ask_for_roles", args=[ann.pk]),
        {"roles": ["Finance checker"], "reason": "I am root."},
    )
    change = ChangeRequest.objects.get()

    url = reverse("admin:ledger_changerequest_approve", args=[change.pk])
    page = root.post(url, {"reason": "I am root."}).content.decode()

    assert "somebody else than who asked" in page
    assert roles_of(ann) == ["Viewer"]


def test_security_admins_see_no_requests_of_the_business(shop: Merchant, ann: User) -> None:
    price, role = prices(shop), ask_for_roles(ann, [Role.CHECKER], actor=ASKER, reason="Moved.")
    listed = reverse("admin:ledger_changerequest_changelist")

    seen = {
        who: browser_of(person(f"{who.name}@example.com", who)).get(listed).content.decode()
        for who in (Role.SECURITY, Role.VIEWER, Role.AUDITOR)
    }

    found = {who: (price.public_id in page, role.public_id in page) for who, page in seen.items()}
    assert found == {
        Role.SECURITY: (False, True),
        Role.VIEWER: (True, False),
        Role.AUDITOR: (True, True),
    }
