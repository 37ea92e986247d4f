"""Sessions end: after a time without activity, and after a working day whatever happens."""

import time
from collections.abc import Callable

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse

from config.people.site import sign_out_noted

BEGAN_AT, SEEN_AT = "began_at", "seen_at"
# A page that asks for news by itself says so: nobody is there because of that.
BY_ITSELF = "Tieout-By-Itself"
# A session is written once in this long, not with every page.
NOTED_EVERY_SECONDS = 30


class SessionAgeMiddleware:
    """Whoever was away for SESSION_IDLE_MINUTES or came SESSION_HOURS ago signs in again."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        # The cookie first: most requests are a machine's, and have no session to read.
        if settings.SESSION_COOKIE_NAME in request.COOKIES and isinstance(request.user, User):
            self._look_at_the_clock(request, request.user)
        return self.get_response(request)

    def _look_at_the_clock(self, request: HttpRequest, user: User) -> None:
        now, session = time.time(), request.session
        seen_at = session.get(SEEN_AT, now)
        if now - seen_at > settings.SESSION_IDLE_MINUTES * 60:
            why = f"{settings.SESSION_IDLE_MINUTES} minutes without activity"
        elif now - session.get(BEGAN_AT, now) > settings.SESSION_HOURS * 3600:
            why = f"{settings.SESSION_HOURS} hours since signing in"
        else:
            is_due = now - seen_at > NOTED_EVERY_SECONDS or BEGAN_AT not in session
            if is_due and BY_ITSELF not in request.headers:
                session[SEEN_AT] = now
                session.setdefault(BEGAN_AT, now)
            return
        sign_out_noted(user, why=why)
        logout(request)
        messages.info(request, f"You were signed out: {why}.")
