"""Passwords, wherever one is asked for: the back office, the portal and the API."""

import logging
from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db import OperationalError, transaction
from django.http import HttpRequest
from psycopg.errors import LockNotAvailable

from config.people import guesses
from config.people.guesses import Guess
from config.people.locks import lock_person

logger = logging.getLogger(__name__)


class PasswordBackend(ModelBackend):
    """Django's own, which writes down every try and refuses more than a few wrong ones."""

    def authenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **kwargs: Any,
    ) -> User | None:
        """The person with this name and password. Raises PermissionDenied while nobody may guess.

        Guesses about one person wait for each other, so that many at once count one by one; if
        they wait too long, they are refused.
        """
        if username is None or password is None:
            return None
        try:
            with transaction.atomic():
                user = self._guess(request, username, password)
        except OperationalError as problem:
            if not isinstance(problem.__cause__, LockNotAvailable):
                raise
            logger.warning("sign_in.busy")
            user = None
        if user is None:
            raise PermissionDenied
        return user

    def _guess(self, request: HttpRequest | None, name: str, password: str) -> User | None:
        person = lock_person(name)
        subject = guesses.subject_of(person, name)
        if guesses.is_locked(Guess.PASSWORD, subject):
            return None
        user = super().authenticate(request, username=name, password=password)
        guesses.note(Guess.PASSWORD, subject, user=person, succeeded=user is not None)
        return user if isinstance(user, User) else None
