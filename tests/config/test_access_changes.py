"""Roles and phones change by two people; nobody becomes two by himself."""

from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django_otp.plugins.otp_totp.models import TOTPDevice

from config.people.access import NotEnrolledYet, ask_for_roles, ask_to_reset_second_factor
from config.people.roles import Role, roles_of
from config.people.staff import LinkWouldBeAll, add_person, welcome_link
from ledger.actors import Actor
from ledger.models import AuditEvent
from ledger.services.changes import (
    ChangeNeedsSecondPerson,
    ChangeOfOneself,
    ChangeOutdated,
)
from tests.support.back_office import enrolled, person
from tests.support.changes import ASKER, agree

pytestmark = pytest.mark.django_db


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
