"""Who works in the back office: let in, given roles, shut out; each with a reason."""

from collections.abc import Iterable

from django.conf import settings
from django.contrib.auth.models import Group, User
from django.contrib.auth.tokens import default_token_generator
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from config.people import guesses
from config.people.locks import lock_person_by_id
from config.people.roles import Role, roles_of
from config.people.second_factor import is_enrolled
from ledger.actors import Actor
from ledger.errors import Conflict, Forbidden, Invalid
from ledger.services import audit


class NameTaken(Conflict):
    code = "user_name_taken"

    def __init__(self, name: str) -> None:
        super().__init__(f"There is somebody called {name} already.")


class OwnAccess(Forbidden):
    code = "own_access"

    def __init__(self) -> None:
        super().__init__("Nobody changes what he may do himself; ask another security admin.")


class LinkWouldBeAll(Forbidden):
    """Whoever had the link would enrol a phone, and be somebody who has roles."""

    code = "link_would_be_all"

    def __init__(self, user: User) -> None:
        super().__init__(
            f"{user} has roles and no second factor: the link alone would do. The operator of the"
            " machine gives one with `manage.py add_person`."
        )


def add_person(email: str, *, actor: Actor, reason: str) -> User:
    """Somebody new, who signs in by this e-mail address once a password is set by `welcome_link`.

    May do nothing before roles are given. Raises NameTaken and ReasonMissing.
    """
    name = email.lower()
    reason = audit.required(reason)
    try:
        with transaction.atomic():
            user = User(username=name, email=name, is_staff=True)
            user.set_unusable_password()
            user.save(force_insert=True)
            audit.record(
                "person.added",
                guesses.subject_of(user),
                actor=actor,
                reason=reason,
                after={"name": name},
            )
    except IntegrityError:
        raise NameTaken(name) from None
    return user


@transaction.atomic
def set_roles(user: User, roles: Iterable[str], *, actor: Actor, reason: str) -> None:
    """The person has these roles and no other.

    What `access.ask_for_roles` asks for, and the operator of the machine does. Raises OwnAccess,
    Invalid for a role there is not, and ReasonMissing.
    """
    reason = audit.required(reason)
    _not_own(user, actor)
    lock_person_by_id(user.pk)
    before = roles_of(user)
    _give(user, roles)
    audit.record(
        "person.roles_set",
        guesses.subject_of(user),
        actor=actor,
        reason=reason,
        before={"roles": before},
        after={"roles": roles_of(user)},
    )


@transaction.atomic
def set_active(user: User, is_active: bool, *, actor: Actor, reason: str) -> None:
    """Let the person in again, or shut the person out, at once and wherever signed in.

    Raises OwnAccess and ReasonMissing.
    """
    reason = audit.required(reason)
    _not_own(user, actor)
    locked = lock_person_by_id(user.pk)
    before, locked.is_active = locked.is_active, is_active
    locked.save(update_fields=["is_active"])
    audit.record(
        "person.let_in" if is_active else "person.shut_out",
        guesses.subject_of(user),
        actor=actor,
        reason=reason,
        before={"is_active": before},
        after={"is_active": is_active},
    )


@transaction.atomic
def welcome_link(user: User, *, actor: Actor, reason: str) -> str:
    """The path of a page on which the person sets a password, once and within a day.

    The old password counts until then. Raises OwnAccess, LinkWouldBeAll and ReasonMissing.
    """
    reason = audit.required(reason)
    _not_own(user, actor)
    may = user.is_superuser or user.groups.exists()
    if settings.SECOND_FACTOR_REQUIRED and actor.kind == "user" and may and not is_enrolled(user):
        raise LinkWouldBeAll(user)
    audit.record("person.welcomed", guesses.subject_of(user), actor=actor, reason=reason)
    token = default_token_generator.make_token(user)
    return reverse("admin:set_password", args=[urlsafe_base64_encode(force_bytes(user.pk)), token])


@transaction.atomic
def unlock(user: User, *, actor: Actor, reason: str) -> None:
    """The person's wrong tries are forgotten; an address's are not.

    Raises OwnAccess and ReasonMissing.
    """
    _not_own(user, actor)
    audit.record(
        guesses.UNLOCKED,
        guesses.subject_of(user),
        actor=actor,
        reason=audit.required(reason),
    )


def _give(user: User, roles: Iterable[str]) -> None:
    wanted = set(roles)
    if unknown := wanted - set(Role):
        raise Invalid(f"{', '.join(sorted(unknown))} is no role; there are {', '.join(Role)}.")
    user.groups.set(Group.objects.filter(name__in=wanted))


def _not_own(user: User, actor: Actor) -> None:
    if (actor.kind, actor.id) == ("user", str(user.pk)):
        raise OwnAccess()
