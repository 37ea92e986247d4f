"""The back office's doors: password, then second factor; and out again."""

from typing import Any, cast

from django.conf import settings
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.http import urlencode
from unfold.forms import AuthenticationForm
from unfold.sites import UnfoldAdminSite

from config.people import guesses, pages
from ledger.actors import Actor
from ledger.services import audit

SIGNED_OUT = "sign_in.ended"


class SignInForm(AuthenticationForm):
    """Says the same of a wrong name, a wrong password and one that may not be tried any more."""

    error_messages = {
        "invalid_login": "This user name and password are not right together, or were tried too"
        f" often: after {settings.LOCKOUT_TRIES} wrong tries nobody gets in for"
        f" {settings.LOCKOUT_MINUTES} minutes.",
        "inactive": "This account is shut.",
    }


class BackOffice(UnfoldAdminSite):
    """Django's admin, open to staff who showed a second factor where one is required."""

    login_form = SignInForm

    def has_permission(self, request: HttpRequest) -> bool:
        return super().has_permission(request) and pages.is_signed_in(request)

    def extra_urls(self) -> list[URLPattern]:
        views = {
            "enrol": pages.enrol,
            "verify": pages.verify,
            "recovery-codes": pages.recovery_codes,
        }
        return [
            path("password/<uidb64>/<token>/", pages.SetPassword.as_view(), name="set_password"),
        ] + [
            path(f"second-factor/{name}/", self._page(view), name=f"second_factor_{name}")
            for name, view in views.items()
        ]

    def login(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Ask for the password; whoever gave the right one is asked for the second factor."""
        response = super().login(request, extra_context)
        if not super().has_permission(request) or pages.is_signed_in(request):
            return response
        return HttpResponseRedirect(pages.next_door(request))

    def logout(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if isinstance(request.user, User):
            sign_out_noted(request.user, why="signed out")
        response: HttpResponse = super().logout(request, extra_context)
        return response

    def password_change(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        context = {**self.each_context(request), **(extra_context or {})}
        return cast(HttpResponse, pages.ChangePassword.as_view(extra_context=context)(request))

    def _page(self, view: pages.View) -> Any:
        """Of staff who gave their password, whether or not they showed a second factor yet."""

        def inner(request: HttpRequest) -> HttpResponse:
            if not super(BackOffice, self).has_permission(request):
                query = urlencode({"next": request.get_full_path()})
                return HttpResponseRedirect(f"{reverse('admin:login')}?{query}")
            return view(request, self.each_context(request))

        return inner


def sign_out_noted(user: User, *, why: str) -> None:
    audit.record(SIGNED_OUT, guesses.subject_of(user), actor=Actor.user(user), after={"why": why})
