"""What is written down about looking: sensitive pages that were shown, and files that left."""

from collections.abc import Callable
from typing import Any

from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from ledger.actors import Actor
from ledger.services import audit

SUBJECT_LENGTH_MAX = 80
# Pages that tell more than most may know, and with which permission; "": to all they let in.
SENSITIVE = {
    "auth_user_change": "",
    "auth_user_changelist": "",
    "ledger_auditevent_change": "",
    "ledger_auditevent_changelist": "",
    "payments_apikey_change": "",
    "payments_apikey_changelist": "",
    "payments_login_change": "",
    "payments_login_changelist": "",
    "settlements_debtoraccount_change": "",
    "settlements_debtoraccount_changelist": "",
    "settlements_merchantbankaccount_change": "settlements.see_full_iban",
}


class TracesMiddleware:
    """Every sensitive page that was shown and every file that was downloaded is an audit event."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        found = request.resolver_match
        if found is None:
            return response
        is_ours = request.path.startswith(reverse("admin:index"))
        if is_ours and response.status_code == 200 and isinstance(request.user, User):
            self._note(request.user, str(found.url_name), found.kwargs, response)
        return response

    def _note(
        self, user: User, page: str, arguments: dict[str, Any], response: HttpResponse
    ) -> None:
        actor, record = Actor.user(user), str(arguments.get("object_id", ""))
        disposition = response.headers.get("Content-Disposition", "")
        if disposition.startswith("attachment"):
            name = disposition.partition("filename=")[2].strip('"') or page
            told = {"page": page, **({"record": record} if record else {})}
            audit.record("file.exported", name[:SUBJECT_LENGTH_MAX], actor=actor, after=told)
        elif is_sensitive(user, page):
            subject = f"{page}:{record}" if record else page
            audit.record("page.viewed", subject[:SUBJECT_LENGTH_MAX], actor=actor)


def is_sensitive(user: User, page: str) -> bool:
    permission = SENSITIVE.get(page)
    return permission is not None and (not permission or user.has_perm(permission))
