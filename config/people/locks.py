"""Whoever changes a person, or guesses about one, waits here for the others; locked alone."""

from django.contrib.auth.models import User


def lock_person(name: str) -> User | None:
    """The person with this user name, locked; None if there is none."""
    return User.objects.select_for_update(no_key=True).filter(username=name).first()


def lock_person_by_id(pk: int) -> User:
    return User.objects.select_for_update(no_key=True).get(pk=pk)
