"""Commands that somebody answers for by name."""

from django.contrib.auth.models import User
from django.core.management.base import CommandError

from ledger.actors import Actor


def person(name: str, *, permission: str) -> Actor:
    """The active user with this login name, if they may do it. Raises CommandError."""
    user = User.objects.filter(username=name, is_active=True).first()
    if user is None or not user.has_perm(permission):
        raise CommandError(f"{name} is no active person who may do this: {permission}.")
    return Actor.user(user)
