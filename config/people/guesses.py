"""How often somebody may guess a password or a code, counted in the audit trail.

In the database, so that nobody guesses freely while Redis is away, and nobody can make it forget.
An account or an address that failed too often waits until its failures are old, until the person
succeeds, or until a security admin lets the person in again (research for the figures: PCI DSS
8.3.4, at most ten tries and at least thirty minutes).
"""

import hashlib
from datetime import timedelta
from enum import StrEnum

from django.conf import settings
from django.contrib.auth.models import User
from django.utils import timezone

from ledger import actors
from ledger.actors import Actor
from ledger.models import AuditEvent
from ledger.services import audit


class Guess(StrEnum):
    """What is guessed; also the beginning of its actions in the audit trail."""

    PASSWORD = "sign_in"
    CODE = "second_factor"

    @property
    def failed(self) -> str:
        return f"{self}.failed"

    @property
    def succeeded(self) -> str:
        return f"{self}.accepted"

    @property
    def locked(self) -> str:
        return f"{self}.locked"


UNLOCKED = "sign_in.unlocked"
FAILURES = [guess.failed for guess in Guess]


def subject_of(user: User | None, name: str = "") -> str:
    """Whom a guess is about. A name nobody has may be a password: only its hash is kept."""
    if user is not None:
        return f"user:{user.pk}"
    return f"nobody:{hashlib.sha256(name.encode(errors='replace')).hexdigest()[:16]}"


def is_locked(guess: Guess, subject: str) -> bool:
    """Whether nobody may guess this now: it, or where the guess comes from, failed too often."""
    begin = timezone.now() - timedelta(minutes=settings.LOCKOUT_MINUTES)
    failed = AuditEvent.objects.filter(action__in=FAILURES, created_at__gte=begin)
    address = actors.address.get()
    if address and failed.filter(address=address).count() >= settings.LOCKOUT_TRIES_PER_ADDRESS:
        return True
    about = AuditEvent.objects.filter(subject=subject, created_at__gte=begin)
    forgiven = about.filter(action__in=[guess.succeeded, UNLOCKED]).order_by("-pk").first()
    counted = about.filter(action=guess.failed, pk__gt=forgiven.pk if forgiven else 0)
    return counted.count() >= settings.LOCKOUT_TRIES


def note(guess: Guess, subject: str, *, user: User | None, succeeded: bool, by: str = "") -> None:
    """Write down how a guess ended, and that nobody may guess any more if that was the last."""
    actor = Actor.user(user) if user is not None else Actor("anonymous", "", "anonymous")
    action = guess.succeeded if succeeded else guess.failed
    audit.record(action, subject, actor=actor, after={"by": by} if by else None)
    if not succeeded and is_locked(guess, subject):
        audit.record(guess.locked, subject, actor=actor)
