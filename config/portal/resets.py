"""Passwords that were forgotten: a link by e-mail, on which the person sets another one.

Not for people of the back office: a security admin hands them their links (config/people/staff.py),
and a mailbox must not be enough.
"""

from datetime import timedelta

from django.contrib.auth.models import User
from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.http import base36_to_int

from config.people import guesses
from config.people.locks import lock_person_by_id
from ledger.actors import Actor
from ledger.errors import Conflict
from ledger.models import AuditEvent
from ledger.services import audit

ASKED, RESET = "person.reset_asked", "person.password_reset"
LINK_MINUTES = 60
LINKS_PER_PERSON = 3  # within the lifetime of one, whoever asks: a mailbox is not to be flooded
ANYBODY = Actor("anonymous", "", "anonymous")


class LinkOver(Conflict):
    code = "reset_link_over"

    def __init__(self) -> None:
        super().__init__("This link is over or was used; ask for a new one.")


class ResetTokens(PasswordResetTokenGenerator):
    """Django's, for the portal alone and for LINK_MINUTES: worthless once the password changed or
    the person signed in.
    """

    key_salt = "config.portal.resets"

    def check_token(self, user: User | None, token: str | None) -> bool:
        if not super().check_token(user, token):
            return False
        made_at = base36_to_int(str(token).partition("-")[0])
        return self._num_seconds(self._now()) - made_at <= LINK_MINUTES * 60


tokens = ResetTokens()


def may_reset() -> QuerySet[User]:
    """Active members of a merchant who do not work in the back office."""
    people = User.objects.filter(is_active=True, is_staff=False, memberships__isnull=False)
    return people.exclude(email="").distinct()


@transaction.atomic
def ask_for_link(name: str) -> User | None:
    """Whom a link is due to who signs in by this name; None if there is nobody, or had some now.

    Written down alike, so that how long it takes says nothing either.
    """
    person = may_reset().filter(username=name).first()
    subject = guesses.subject_of(person, name)
    since = timezone.now() - timedelta(minutes=LINK_MINUTES)
    asked = AuditEvent.objects.filter(subject=subject, action=ASKED, created_at__gte=since)
    earlier = asked.count()
    audit.record(ASKED, subject, actor=ANYBODY)
    return person if earlier < LINKS_PER_PERSON else None


@transaction.atomic
def reset_password(person: User, token: str, password: str) -> None:
    """The person has this password, and whatever was signed in with the old one is out.

    Wrong tries are forgotten: whoever guessed did not guess this one. Raises LinkOver if the link
    was used in the meantime.
    """
    locked = lock_person_by_id(person.pk)
    if not locked.is_active or not tokens.check_token(locked, token):
        raise LinkOver()
    locked.set_password(password)
    locked.save(update_fields=["password"])
    subject, actor = guesses.subject_of(locked), Actor.user(locked)
    audit.record(RESET, subject, actor=actor)
    audit.record(guesses.UNLOCKED, subject, actor=actor)
