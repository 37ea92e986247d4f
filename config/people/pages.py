"""Pages of the second factor: show it, enrol a phone, get recovery codes."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import authenticate
from django.contrib.auth.models import User
from django.contrib.auth.views import PasswordChangeView, PasswordResetConfirmView
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse, reverse_lazy
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.utils.safestring import SafeString
from django.views.decorators.cache import never_cache
from unfold.forms import AdminOwnPasswordChangeForm
from unfold.widgets import UnfoldAdminTextInputWidget

from config.people import guesses
from config.people.second_factor import (
    as_qr_code,
    as_text,
    begin_enrolment,
    confirm_enrolment,
    is_enrolled,
    is_fresh,
    pass_second_factor,
    recovery_codes_left,
    renew_recovery_codes,
)
from ledger.actors import Actor
from ledger.errors import DomainError
from ledger.services import audit

FEW_CODES = 3

View = Callable[[HttpRequest, dict[str, Any]], HttpResponse]


def code_field() -> forms.CharField:
    return forms.CharField(
        label="Code",
        max_length=40,
        widget=UnfoldAdminTextInputWidget(
            attrs={"autocomplete": "one-time-code", "autofocus": True}
        ),
        help_text="Six digits from your phone, or a recovery code.",
    )


class CodeForm(forms.Form):
    code = code_field()


class SetPassword(PasswordResetConfirmView):
    """Whoever has the link of a security admin sets the person's password, once."""

    template_name = "admin/second_factor/set_password.html"
    success_url = reverse_lazy("admin:login")
    title = "Set your password"

    def form_valid(self, form: Any) -> HttpResponse:
        response = super().form_valid(form)
        audit.record(
            "person.password_set", guesses.subject_of(self.user), actor=Actor.user(self.user)
        )
        messages.success(self.request, "Your password is set: sign in with it.")
        return response


class OwnPasswordForm(AdminOwnPasswordChangeForm):
    """Whoever guesses the old password is counted as at the door."""

    def clean_old_password(self) -> str:
        old: str = self.cleaned_data["old_password"]
        if authenticate(username=self.user.get_username(), password=old) is None:
            raise forms.ValidationError(self.error_messages["password_incorrect"])
        return old


class ChangePassword(PasswordChangeView):
    """Of one's own account; every other session of it ends."""

    form_class = OwnPasswordForm
    success_url = reverse_lazy("admin:password_change_done")

    @transaction.atomic
    def form_valid(self, form: Any) -> HttpResponse:
        user = _person(self.request)
        audit.record("person.password_changed", guesses.subject_of(user), actor=Actor.user(user))
        return super().form_valid(form)


def is_signed_in(request: HttpRequest) -> bool:
    """Whether this person showed all that is asked for."""
    if not settings.SECOND_FACTOR_REQUIRED:
        return True
    return bool(getattr(request.user, "otp_device", None))


def next_door(request: HttpRequest) -> str:
    """Where somebody with the right password goes: to show a second factor, or to enrol one."""
    assert isinstance(request.user, User)
    door = "verify" if is_enrolled(request.user) else "enrol"
    query = urlencode({"next": _destination(request)})
    return f"{reverse(f'admin:second_factor_{door}')}?{query}"


@never_cache
def verify(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    user = _person(request)
    if not is_enrolled(user):
        return HttpResponseRedirect(reverse("admin:second_factor_enrol"))
    form = CodeForm(request.POST or None)
    if form.is_valid() and _shown(request, form):
        left = recovery_codes_left(user)
        if left <= FEW_CODES:
            messages.warning(request, f"{left} recovery codes are left: get new ones.")
        return HttpResponseRedirect(_destination(request))
    return _page(request, "verify", context | {"title": "Your second factor", "form": form})


@never_cache
def enrol(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    """A first phone, after the password; another one, after the one there is."""
    user = _person(request)
    if is_enrolled(user) and not (is_signed_in(request) and is_fresh(request)):
        query = urlencode({"next": request.get_full_path()})
        return HttpResponseRedirect(f"{reverse('admin:second_factor_verify')}?{query}")
    form = CodeForm(request.POST or None)
    form.fields["code"].help_text = "The six digits it shows now."
    if form.is_valid():
        try:
            codes = confirm_enrolment(request, form.cleaned_data["code"])
        except DomainError as refusal:
            form.add_error("code", refusal.message)
        else:
            return _codes_page(request, context, codes)
    device = begin_enrolment(user, anew=request.method == "GET")
    shown = {
        "title": "Enrol your phone",
        "button": "Enrol",
        "form": form,
        # Our own drawing: nothing in it is anybody's text.
        "qr_code": SafeString(as_qr_code(device)),
        "secret": as_text(device),
    }
    return _page(request, "enrol", context | shown)


@never_cache
def recovery_codes(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    """How many are left, and new ones for who shows the second factor again."""
    user = _person(request)
    if not is_enrolled(user):
        return HttpResponseRedirect(reverse("admin:second_factor_enrol"))
    form = CodeForm(request.POST or None)
    if form.is_valid() and _shown(request, form):
        return _codes_page(request, context, renew_recovery_codes(user))
    shown = {
        "title": "Recovery codes",
        "button": "Get new codes",
        "form": form,
        "left": recovery_codes_left(user),
    }
    return _page(request, "recovery_codes", context | shown)


def _shown(request: HttpRequest, form: CodeForm) -> bool:
    try:
        pass_second_factor(request, form.cleaned_data["code"])
    except DomainError as refusal:
        form.add_error("code", refusal.message)
        return False
    return True


def _codes_page(request: HttpRequest, context: dict[str, Any], codes: list[str]) -> HttpResponse:
    shown = {"title": "Your recovery codes", "codes": codes, "next": _destination(request)}
    return _page(request, "codes", context | shown)


def _page(request: HttpRequest, name: str, context: dict[str, Any]) -> HttpResponse:
    return TemplateResponse(request, f"admin/second_factor/{name}.html", context)


def _destination(request: HttpRequest) -> str:
    """Where the person wanted to go; never another site, never the way in."""
    wanted = request.POST.get("next") or request.GET.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(
        wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    home = reverse("admin:index")
    return wanted if is_ours and not wanted.startswith(reverse("admin:login")) else home


def _person(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # the site lets nobody else come here
    return request.user
