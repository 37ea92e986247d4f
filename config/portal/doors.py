"""The way in, with e-mail and password; the choice of a merchant; the way out."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth import login, logout
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from config.middleware import address_of
from config.people.site import SignInForm, sign_out_noted
from config.portal.pages import OpenPage
from config.portal.visitors import CHOSEN, memberships_of
from ledger.errors import Busy, DomainError
from payments.cache import Unreachable
from payments.errors import MerchantNotFound, NoMembership
from payments.rate_limits import RateClass, check_rate

TOO_MANY_REQUESTS = 429


class GuessesNotCounted(Busy):
    code = "unavailable"

    def __init__(self) -> None:
        super().__init__("Nobody can sign in right now; try again in a minute.")


class TooManyGuesses(DomainError):
    code = "rate_limited"

    def __init__(self, seconds: int) -> None:
        super().__init__(f"Too many tries from here; try again in {seconds} seconds.")
        self.seconds = seconds


class MemberSignInForm(AuthenticationForm):
    """Says the same of a wrong address, a wrong password and one that may not be tried any more."""

    username = forms.CharField(
        label="E-mail",
        max_length=150,
        widget=forms.EmailInput(attrs={"autocomplete": "username", "autofocus": True}),
    )
    error_messages = {
        "invalid_login": SignInForm.error_messages["invalid_login"].replace(
            "user name", "e-mail address"
        ),
        "inactive": SignInForm.error_messages["inactive"],
    }

    def clean_username(self) -> str:
        return str(self.cleaned_data["username"]).lower()

    def confirm_login_allowed(self, user: Any) -> None:
        super().confirm_login_allowed(user)
        if not memberships_of(user):
            raise forms.ValidationError(NoMembership().message, code="no_membership")


class Door(OpenPage):
    """A page that takes passwords, no more of them from one address than the API's login does."""

    def count_guess(self) -> None:
        """Raises TooManyGuesses, and GuessesNotCounted while nobody can count them."""
        try:
            verdict = check_rate(address_of(self.request), RateClass.LOGIN)
        except Unreachable:
            raise GuessesNotCounted() from None
        if not verdict.is_allowed:
            raise TooManyGuesses(verdict.retry_after)

    def refused(self, refusal: DomainError) -> HttpResponse:
        response = super().refused(refusal)
        if isinstance(refusal, TooManyGuesses):
            response.status_code = TOO_MANY_REQUESTS
            response.headers["Retry-After"] = str(refusal.seconds)
        return response


class SignIn(Door):
    """A session for somebody with the right password who is a member of a merchant."""

    def get(self, request: HttpRequest) -> HttpResponse:
        return self._form(MemberSignInForm(request))

    def post(self, request: HttpRequest) -> HttpResponse:
        self.count_guess()
        form = MemberSignInForm(request, data=request.POST)
        if not form.is_valid():
            return self._form(form)
        login(request, form.get_user())
        return HttpResponseRedirect(destination(request))

    def _form(self, form: MemberSignInForm) -> HttpResponse:
        return self.page(
            "sign_in",
            title="Sign in",
            form=form,
            next=destination(self.request),
            sends_email=settings.SENDS_EMAIL,
        )


class Choose(OpenPage):
    """For whom somebody acts who is a member of several merchants."""

    def get(self, request: HttpRequest) -> HttpResponse:
        if not isinstance(request.user, User):
            return HttpResponseRedirect(reverse("portal:sign_in"))
        return self.page(
            "choose",
            title="For whom?",
            memberships=memberships_of(request.user),
            next=destination(request),
        )

    def post(self, request: HttpRequest) -> HttpResponse:
        if not isinstance(request.user, User):
            return HttpResponseRedirect(reverse("portal:sign_in"))
        wanted = request.POST.get("merchant", "")
        if wanted not in {each.merchant.public_id for each in memberships_of(request.user)}:
            raise MerchantNotFound(wanted)
        request.session[CHOSEN] = wanted
        return HttpResponseRedirect(destination(request))


class SignOut(OpenPage):
    def post(self, request: HttpRequest) -> HttpResponse:
        if isinstance(request.user, User):
            sign_out_noted(request.user, why="signed out")
            logout(request)
        return HttpResponseRedirect(reverse("portal:sign_in"))


def destination(request: HttpRequest) -> str:
    """Where the person wanted to go in the portal, or its first page; never another site."""
    wanted = request.POST.get("next") or request.GET.get("next", "")
    home = reverse("portal:overview")
    is_ours = url_has_allowed_host_and_scheme(
        wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return wanted if is_ours and wanted.startswith(home) else home
