"""One's own password: changed by who knows it, set anew by who has the link of an e-mail."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.models import User
from django.contrib.auth.views import INTERNAL_RESET_SESSION_TOKEN, PasswordResetConfirmView
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from config.people import guesses
from config.people.locks import lock_person_by_id
from config.portal.doors import Door
from config.portal.letters import Letter, send_letter
from config.portal.pages import MemberPage
from config.portal.password_forms import ChangePasswordForm, ForgottenForm, NewPasswordForm
from config.portal.resets import (
    LINK_MINUTES,
    LinkOver,
    ask_for_link,
    may_reset,
    reset_password,
    tokens,
)
from ledger.actors import Actor
from ledger.errors import Conflict, Forbidden
from ledger.services import audit


class NoEmail(Conflict):
    code = "no_email"

    def __init__(self) -> None:
        super().__init__("This installation sends no e-mail; ask those who run it for help.")


class PasswordOfBackOffice(Forbidden):
    code = "password_of_back_office"

    def __init__(self) -> None:
        super().__init__("You work in the back office: your password is changed there.")


class ChangePassword(MemberPage, Door):
    """For who says the present one. Other sessions and all tokens of the person end with it."""

    def get(self, request: HttpRequest) -> HttpResponse:
        return self._form(ChangePasswordForm(self._person()))

    def post(self, request: HttpRequest) -> HttpResponse:
        self.count_guess()
        form = self._changed(self._person())
        if not form.is_valid():
            return self._form(form)
        send_letter(form.user, Letter.CHANGED)
        messages.success(request, "Your password is changed; you are signed out everywhere else.")
        return HttpResponseRedirect(reverse("portal:overview"))

    @transaction.atomic
    def _changed(self, person: User) -> ChangePasswordForm:
        """The form as it came; if it is valid, the password is changed."""
        locked = lock_person_by_id(person.pk)
        form = ChangePasswordForm(locked, self.request.POST)
        if form.is_valid():
            form.save()
            actor = Actor.user(locked)
            audit.record("person.password_changed", guesses.subject_of(locked), actor=actor)
            update_session_auth_hash(self.request, locked)
        return form

    def _person(self) -> User:
        """Raises PasswordOfBackOffice: there it takes the second factor."""
        person = self.visitor.member.user
        if person.is_staff:
            raise PasswordOfBackOffice()
        return person

    def _form(self, form: ChangePasswordForm) -> HttpResponse:
        return self.page("password", title="Change your password", form=form)


class ForgottenPassword(Door):
    """A link to who signs in by an address. The answer says nothing about who does."""

    def get(self, request: HttpRequest) -> HttpResponse:
        _check_email()
        return self._form(ForgottenForm())

    def post(self, request: HttpRequest) -> HttpResponse:
        _check_email()
        self.count_guess()
        form = ForgottenForm(request.POST)
        if not form.is_valid():
            return self._form(form)
        person = ask_for_link(form.cleaned_data["email"])
        if person is not None:
            path = reverse(
                "portal:reset_password",
                args=[urlsafe_base64_encode(force_bytes(person.pk)), tokens.make_token(person)],
            )
            link = request.build_absolute_uri(path)
            send_letter(person, Letter.RESET, link=link, minutes=LINK_MINUTES)
        return self.page("forgotten_sent", title="Look into your mailbox", minutes=LINK_MINUTES)

    def _form(self, form: ForgottenForm) -> HttpResponse:
        return self.page("forgotten", title="Forgotten password", form=form)


class ResetPassword(Door, PasswordResetConfirmView):
    """Where the link leads; its token goes into the session at once and out of the address."""

    form_class = NewPasswordForm
    template_name = "portal/reset_password.html"
    title = "Set a new password"
    token_generator = tokens

    def get_user(self, uidb64: str) -> User | None:
        found = super().get_user(uidb64)
        return may_reset().filter(pk=found.pk).first() if found else None

    def post(self, *args: Any, **kwargs: Any) -> HttpResponse:
        self.count_guess()
        return super().post(*args, **kwargs)

    def form_valid(self, form: Any) -> HttpResponse:
        token = self.request.session.pop(INTERNAL_RESET_SESSION_TOKEN)
        reset_password(form.user, token, form.cleaned_data["new_password1"])
        send_letter(form.user, Letter.CHANGED)
        messages.success(self.request, "Your password is set: sign in with it.")
        return HttpResponseRedirect(reverse("portal:sign_in"))

    def render_to_response(self, context: dict[str, Any], **kwargs: Any) -> HttpResponse:
        if not self.validlink:
            raise LinkOver()
        return super().render_to_response(context, **kwargs)


def _check_email() -> None:
    if not settings.SENDS_EMAIL:
        raise NoEmail()
