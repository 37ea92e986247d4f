"""Roles, second factors, prices and tolerances are asked for by one and agreed to by another."""

from datetime import date, timedelta
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone
from django_otp.plugins.otp_totp.models import TOTPDevice

from config.people.access import NotEnrolledYet, ask_for_roles, ask_to_reset_second_factor
from config.people.roles import Role, roles_of
from config.people.staff import LinkWouldBeAll, add_person, welcome_link
from ledger.actors import Actor
from ledger.errors import DomainError, InvalidTransition
from ledger.models import AuditEvent, ChangeRequest
from ledger.services import changes
from ledger.services.audit import ReasonMissing
from ledger.services.changes import (
    ChangeAltered,
    ChangeExpired,
    ChangeNeedsSecondPerson,
    ChangeOfOneself,
    ChangeOutdated,
    approve_change,
    refuse_change,
    withdraw_change,
)
from payments.models import FeePlan, Merchant
from payments.services.merchants import FeePlanInUse, set_fee_plan
from payments.services.price_changes import Prices, ask_for_prices
from tests.factories import MerchantFactory
from tests.support.back_office import browser_of, enrolled, person
from tests.support.changes import BOSS, agree
from tests.support.forgery import Forge, forge
from tests.support.refusals import constraint_of, refused_by

__all__ = ["forge"]
pytestmark = pytest.mark.django_db

ASKER = Actor("user", "7", "asker@example.com")
SYSTEM = Actor.system("tests")
CHG = "ledger_changerequest"


@pytest.fixture
def shop() -> Merchant:
    return MerchantFactory(code="shop")


@pytest.fixture
def ann() -> User:
    return person("ann@example.com", Role.VIEWER)


def today() -> date:
    return timezone.now().date()


def prices(shop: Merchant, points: int = 190, **fields: Any) -> ChangeRequest:
    terms = {"currency": "EUR", "method": "", "valid_from": today(), **fields}
    return ask_for_prices(shop, Prices(points), actor=ASKER, reason="New contract.", **terms)


def in_force(shop: Merchant) -> list[int]:
    plans = FeePlan.objects.filter(merchant=shop, currency="EUR", valid_from=today())
    return list(plans.values_list("basis_points", flat=True))


def test_asking_changes_nothing_and_agreeing_does_just_what_was_asked(shop: Merchant) -> None:
    change = prices(shop)
    assert (change.status, in_force(shop)) == ("REQUESTED", [])
    assert not AuditEvent.objects.filter(action="fee_plan.set").exists()

    agree(change)

    change.refresh_from_db()
    assert (change.status, change.decided_by) == ("APPLIED", "user:boss@example.com")
    assert in_force(shop) == [190]
    plan = FeePlan.objects.get(merchant=shop, valid_from=today(), currency="EUR")
    assert (plan.set_by, plan.reason) == ("user:asker@example.com", "New contract.")
    asked, approved = AuditEvent.objects.filter(subject=change.public_id).order_by("pk")
    assert (asked.action, approved.action) == ("change.requested", "change.approved")
    assert asked.after["digest"] == approved.after["digest"] == change.digest
    assert approved.after["asked_by"] == "user:asker@example.com"


def test_what_could_not_be_carried_out_cannot_be_asked_for(shop: Merchant) -> None:
    set_fee_plan(shop, currency="EUR", basis_points=100, valid_from=today())

    with pytest.raises(FeePlanInUse):
        prices(shop)
    with pytest.raises(ReasonMissing):
        ask_for_prices(
            shop,
            Prices(1),
            currency="USD",
            method="",
            valid_from=today(),
            actor=ASKER,
            reason=" ",
        )

    assert not ChangeRequest.objects.exists()


@pytest.mark.parametrize("actor", [ASKER, Actor.system("load_config")])
def test_a_second_person_agrees_and_no_program(shop: Merchant, actor: Actor) -> None:
    change = prices(shop)

    with pytest.raises(ChangeNeedsSecondPerson):
        agree(change, actor=actor)

    assert in_force(shop) == []


def test_after_72_hours_it_is_asked_for_anew(
    shop: Merchant, monkeypatch: pytest.MonkeyPatch
) -> None:
    change = prices(shop, valid_from=today() + timedelta(days=10))
    assert change.expires_at - change.created_at == timedelta(hours=72)
    now = timezone.now() + timedelta(hours=72, seconds=1)
    monkeypatch.setattr(changes.timezone, "now", lambda: now)

    with pytest.raises(ChangeExpired):
        agree(change)
    assert not FeePlan.objects.filter(merchant=shop, basis_points=190).exists()


def test_the_database_takes_no_late_decision_and_no_longer_wait() -> None:
    now = timezone.now()
    fields = {
        **{"kind": "roles", "subject": "user:0", "payload": {}, "in_force": {}, "digest": "x"},
        **{"reason": "x", "requested_by": "user:x", "created_at": now},
    }
    for wrong, constraint in (
        ({"expires_at": now + timedelta(hours=73)}, "ledger_change_expires"),
        (
            {
                **{"expires_at": now, "status": "APPLIED", "decided_by": "user:y"},
                "decided_at": now + timedelta(seconds=1),
            },
            "ledger_change_in_time",
        ),
    ):
        with pytest.raises(IntegrityError) as refusal, transaction.atomic():
            ChangeRequest.objects.create(**fields, **wrong)
        assert constraint_of(refusal.value) == constraint


def test_the_database_keeps_what_was_asked_and_what_was_decided(shop: Merchant) -> None:
    change = prices(shop)
    frozen = ("kind", "subject", "digest", "reason", "requested_by")

    for column in frozen:
        assert refused_by(f"UPDATE {CHG} SET {column} = 'x'") == "ledger_append_only", column
    for column in ("payload", "in_force"):
        assert refused_by(f"UPDATE {CHG} SET {column} = '{{}}'") == "ledger_append_only"
    assert refused_by(f"UPDATE {CHG} SET expires_at = now()") == "ledger_append_only"
    assert refused_by(f"DELETE FROM {CHG}") == "ledger_append_only"

    refuse_change(change, actor=BOSS, reason="No.")
    statement = f"UPDATE {CHG} SET status = 'REQUESTED', decided_by = '', decided_at = NULL"
    assert refused_by(statement) == "ledger_append_only"


def test_what_was_altered_behind_the_triggers_is_not_done(shop: Merchant, forge: Forge) -> None:
    change = prices(shop)
    forge(f"UPDATE {CHG} SET payload = jsonb_set(payload, '{{basis_points}}', '0')")

    with pytest.raises(ChangeAltered):
        agree(change)

    assert in_force(shop) == []


def test_what_is_not_as_it_was_shown_is_asked_for_anew(shop: Merchant) -> None:
    tomorrow = today() + timedelta(days=1)
    first, second = prices(shop, 190, valid_from=tomorrow), prices(shop, 180, valid_from=tomorrow)
    agree(first)

    with pytest.raises(ChangeOutdated):
        agree(second)

    assert FeePlan.objects.get(merchant=shop, valid_from=tomorrow).basis_points == 190


@pytest.mark.parametrize(
    ("drop", "status"), [(refuse_change, "REFUSED"), (withdraw_change, "WITHDRAWN")]
)
def test_what_was_refused_or_withdrawn_is_over(shop: Merchant, drop: Any, status: str) -> None:
    change = prices(shop)
    with pytest.raises(ReasonMissing):
        drop(change, actor=BOSS, reason="")

    assert drop(change, actor=BOSS, reason="Not now.").status == status

    for decide in (approve_change, refuse_change, withdraw_change):
        with pytest.raises(InvalidTransition):
            decide(change, actor=BOSS, reason="After all.")
    assert in_force(shop) == []


def test_roles_are_given_by_two(ann: User) -> None:
    change = ask_for_roles(ann, [Role.CHECKER], actor=ASKER, reason="Moved.")
    assert roles_of(ann) == ["Viewer"]

    agree(change)

    assert roles_of(ann) == ["Finance checker"]
    event = AuditEvent.objects.get(action="person.roles_set")
    assert (event.before, event.after) == ({"roles": ["Viewer"]}, {"roles": ["Finance checker"]})


def test_nobody_has_a_part_in_a_change_of_himself(ann: User) -> None:
    me = Actor.user(ann)
    for ask in (
        lambda: ask_for_roles(ann, [Role.CHECKER], actor=me, reason="x"),
        lambda: ask_to_reset_second_factor(ann, actor=me, reason="x"),
    ):
        with pytest.raises(ChangeOfOneself):
            ask()
    change = ask_for_roles(ann, [Role.CHECKER], actor=ASKER, reason="Moved.")

    with pytest.raises(ChangeOfOneself):
        agree(change, actor=me)
    assert roles_of(ann) == ["Viewer"]


def test_a_phone_is_taken_away_by_two(ann: User) -> None:
    enrolled(ann)
    change = ask_to_reset_second_factor(ann, actor=ASKER, reason="Lost her phone.")
    assert TOTPDevice.objects.filter(user=ann).exists()

    agree(change)

    assert not TOTPDevice.objects.filter(user=ann).exists()


def test_a_security_admin_alone_does_not_become_two_people(settings: Any) -> None:
    """Neither by somebody new, nor by whoever has roles and no phone yet."""
    settings.SECOND_FACTOR_REQUIRED = True
    admin = Actor.user(person("admin@example.com", Role.SECURITY))
    new = add_person("new@example.com", actor=admin, reason="Hired.")
    assert roles_of(new) == []
    welcome_link(new, actor=admin, reason="Hired.")

    with pytest.raises(NotEnrolledYet):
        ask_for_roles(new, [Role.CHECKER], actor=admin, reason="Hired.")
    enrolled(new)
    change = ask_for_roles(new, [Role.CHECKER], actor=admin, reason="Hired.")
    with pytest.raises(ChangeNeedsSecondPerson):
        agree(change, actor=admin)
    TOTPDevice.objects.filter(user=new).delete()
    enrolled(new)
    with pytest.raises(ChangeOutdated):
        agree(change)

    assert roles_of(new) == []
    other = person("other@example.com", Role.CHECKER)
    with pytest.raises(LinkWouldBeAll):
        welcome_link(other, actor=admin, reason="Forgot it.")


def test_the_first_people_are_made_on_the_machine() -> None:
    out = StringIO()
    for name, role in (("sec@example.com", Role.SECURITY), ("boss@example.com", Role.CONTROLLER)):
        call_command("add_person", name, "--role", role, "--reason", "First days.", stdout=out)

    assert roles_of(User.objects.get(username="sec@example.com")) == ["Security admin"]
    assert out.getvalue().count("/admin/") == 2
    event = AuditEvent.objects.filter(action="person.roles_set").first()
    assert event is not None
    assert (event.actor_kind, event.actor_label) == ("system", "add_person")


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


def test_every_refusal_of_a_change_has_its_own_code() -> None:
    found = {
        each.code
        for each in vars(changes).values()
        if isinstance(each, type)
        and issubclass(each, DomainError)
        and each.__module__ == changes.__name__
    }

    assert found == {
        *("change_altered", "change_expired", "change_needs_second_person"),
        *("change_of_oneself", "change_outdated"),
    }
