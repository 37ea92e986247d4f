"""What people may do and how they show that it is them: changed by two people only.

One security admin alone could otherwise be two people, by an account of his own making or by
somebody else's.
"""

from collections.abc import Iterable

from django.conf import settings
from django.contrib.auth.models import User
from django_otp.plugins.otp_totp.models import TOTPDevice

from config.people import guesses, staff
from config.people.locks import lock_person_by_id
from config.people.roles import roles_of
from config.people.second_factor import reset_second_factor
from ledger.actors import Actor
from ledger.changes import Carrier, Payload
from ledger.errors import Conflict
from ledger.models import ChangeRequest
from ledger.services.changes import request_change


class NotEnrolledYet(Conflict):
    """Whoever gets the link of somebody new and enrols a phone would have the roles."""

    code = "not_enrolled_yet"

    def __init__(self, user: User) -> None:
        super().__init__(f"{user} signs in and enrols a phone first; roles are given after that.")


def ask_for_roles(user: User, roles: Iterable[str], *, actor: Actor, reason: str) -> ChangeRequest:
    """Ask for the person to have these roles and no other.

    Raises ChangeOfOneself, NotEnrolledYet for roles that somebody without a second factor has not
    got yet, Invalid for a role there is not, and ReasonMissing.
    """
    payload = {"user": user.pk, "person": user.get_username(), "roles": sorted(set(roles))}
    return request_change(ROLES, guesses.subject_of(user), payload, actor=actor, reason=reason)


def ask_to_reset_second_factor(user: User, *, actor: Actor, reason: str) -> ChangeRequest:
    """Ask for the person's phone and recovery codes to count no more.

    Raises ChangeOfOneself and ReasonMissing.
    """
    payload = {"user": user.pk, "person": user.get_username(), "second_factor": "none"}
    subject = guesses.subject_of(user)
    return request_change(SECOND_FACTOR_RESET, subject, payload, actor=actor, reason=reason)


def _in_force(payload: Payload) -> Payload:
    """With the phone: who enrols another one in between may be somebody else."""
    user = lock_person_by_id(payload["user"])
    phone = TOTPDevice.objects.filter(user=user, confirmed=True).first()
    return {"roles": roles_of(user), "second_factor": f"phone {phone.pk}" if phone else "none"}


def _give_roles(change: ChangeRequest, actor: Actor) -> None:
    user = User.objects.get(pk=change.payload["user"])
    new = set(change.payload["roles"]) - set(change.in_force["roles"])
    is_enrolled = change.in_force["second_factor"] != "none"
    if new and settings.SECOND_FACTOR_REQUIRED and not is_enrolled:
        raise NotEnrolledYet(user)
    staff.set_roles(user, change.payload["roles"], actor=actor, reason=change.reason)


def _reset(change: ChangeRequest, actor: Actor) -> None:
    user = User.objects.get(pk=change.payload["user"])
    reset_second_factor(user, actor=actor, reason=change.reason)


def _is_about(payload: Payload, actor: Actor) -> bool:
    return (actor.kind, actor.id) == ("user", str(payload["user"]))


ROLES = Carrier(
    app="auth",
    kind="roles",
    title="Roles of a person",
    seen_with="auth.view_user",
    in_force=_in_force,
    carry_out=_give_roles,
    is_party=_is_about,
)
SECOND_FACTOR_RESET = Carrier(
    app="auth",
    kind="second_factor_reset",
    title="Reset of a second factor",
    seen_with="auth.view_user",
    in_force=_in_force,
    carry_out=_reset,
    is_party=_is_about,
)
