"""People and their roles, as pages of the back office."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.models import Group, User
from django.db.models import Exists, OuterRef, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django_otp.plugins.otp_totp.models import TOTPDevice
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget, UnfoldAdminEmailInputWidget

from config.people import access, staff
from config.people.roles import Role, roles_of
from ledger.actors import Actor
from ledger.admin import ReadOnlyAdmin
from ledger.admin.base import ReasonForm, detail_action
from ledger.errors import DomainError
from settlements.admin.forms import AskingAdmin

ROLES = [(role.value, role.value) for role in Role]


class RolesForm(ReasonForm):
    roles = forms.MultipleChoiceField(
        choices=ROLES, required=False, widget=UnfoldAdminCheckboxSelectMultipleWidget
    )
    field_order = ("roles", "reason")


class PersonForm(ReasonForm):
    email = forms.EmailField(max_length=150, widget=UnfoldAdminEmailInputWidget)
    field_order = ("email", "reason")


class PersonAdmin(AskingAdmin):
    """Everybody who has an account, and what security admins do about it."""

    list_display = (
        *("username", "roles", "is_staff", "is_superuser", "is_active"),
        *("has_second_factor", "last_login"),
    )
    list_filter = ("is_staff", "is_superuser", "is_active", "groups")
    search_fields = ("username", "email")
    ordering = ("username",)
    fields = (
        *("username", "email", "roles", "is_staff", "is_superuser", "is_active"),
        *("has_second_factor", "last_login", "date_joined"),
    )
    readonly_fields = ("roles", "has_second_factor")
    actions_list = ("add_person",)
    actions_detail = (
        *("ask_for_roles", "set_first_password", "unlock", "ask_to_reset_second_factor"),
        *("shut_out", "let_in"),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        enrolled = TOTPDevice.objects.filter(user=OuterRef("pk"), confirmed=True)
        return (
            super()
            .get_queryset(request)
            .prefetch_related("groups")
            .annotate(is_enrolled=Exists(enrolled))
        )

    @admin.display(description="roles")
    def roles(self, user: User) -> str:
        return ", ".join(sorted(group.name for group in user.groups.all()))

    @admin.display(description="second factor", boolean=True)
    def has_second_factor(self, user: Any) -> bool:
        return bool(user.is_enrolled)

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Only one of the two ways through the door."""
        user = self.get_object(request, object_id)
        if user is None:
            return []
        other = "let-in" if user.is_active else "shut-out"
        allowed = super().get_actions_detail(request, object_id)
        return [step for step in allowed if step.path.replace("_", "-") != other]

    @detail_action("Add a person", permission="auth.add_user")
    def add_person(self, request: HttpRequest) -> HttpResponse:
        form = PersonForm(request.POST or None)
        if form.is_valid():
            try:
                user = staff.add_person(**form.cleaned_data, actor=Actor.user(request.user))
            except DomainError as refusal:
                form.add_error(None, refusal.message)
            else:
                messages.success(request, f"{user} was added, and has no password yet.")
                return HttpResponseRedirect(self._url_of(user))
        return self.ask(
            request,
            form,
            title="Add a person",
            explanation="Nobody can sign in by this address before a password is set, and the"
            " person may do nothing before roles are asked for and approved.",
            back=reverse(f"{self.admin_site.name}:auth_user_changelist"),
        )

    @detail_action("Ask for roles", permission="auth.request_roles")
    def ask_for_roles(self, request: HttpRequest, object_id: str) -> HttpResponse:
        user = self._found(request, object_id)
        form = RolesForm(request.POST or None, initial={"roles": roles_of(user)})
        if form.is_valid():
            try:
                change = access.ask_for_roles(
                    user, actor=Actor.user(request.user), **form.cleaned_data
                )
            except DomainError as refusal:
                form.add_error(None, refusal.message)
            else:
                messages.success(request, f"{change} waits for somebody else to approve it.")
                return HttpResponseRedirect(self._url_of(user))
        return self.ask(
            request,
            form,
            title=f"Ask for roles: {user}",
            explanation="Once somebody else approves it, the person may do just what these roles"
            " may do.",
            back=self._url_of(user),
        )

    @detail_action("Password link", permission="auth.set_first_password")
    def set_first_password(self, request: HttpRequest, object_id: str) -> HttpResponse:
        def welcome(actor: Actor, reason: str) -> None:
            user = self._found(request, object_id)
            link = request.build_absolute_uri(staff.welcome_link(user, actor=actor, reason=reason))
            messages.warning(
                request, f"Give this to {user} alone; it works once, for a day: {link}"
            )

        return self._step(
            request,
            object_id,
            "Password link",
            "You are shown a link, once. Whoever has it sets the person's password.",
            welcome,
        )

    @detail_action("Unlock", permission="auth.unlock_person")
    def unlock(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._step(
            request,
            object_id,
            "Unlock",
            "The person's wrong passwords and codes are forgotten.",
            lambda actor, why: staff.unlock(
                self._found(request, object_id), actor=actor, reason=why
            ),
        )

    @detail_action("Ask to reset second factor", permission="auth.request_second_factor_reset")
    def ask_to_reset_second_factor(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._step(
            request,
            object_id,
            "Ask to reset second factor",
            "Be sure who asks for it. Once somebody else approves it, phone and recovery codes"
            " count no more; whoever signs in with the password next enrols a phone.",
            lambda actor, why: access.ask_to_reset_second_factor(
                self._found(request, object_id), actor=actor, reason=why
            ),
        )

    @detail_action("Shut out", permission="auth.shut_out")
    def shut_out(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._step(
            request,
            object_id,
            "Shut out",
            "The person is signed out everywhere and cannot sign in.",
            lambda actor, why: staff.set_active(
                self._found(request, object_id), False, actor=actor, reason=why
            ),
        )

    @detail_action("Let in", permission="auth.let_in")
    def let_in(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._step(
            request,
            object_id,
            "Let in",
            "The person can sign in again, with the roles as they are.",
            lambda actor, why: staff.set_active(
                self._found(request, object_id), True, actor=actor, reason=why
            ),
        )

    def _step(
        self,
        request: HttpRequest,
        object_id: str,
        title: str,
        explanation: str,
        service: Callable[[Actor, str], object],
    ) -> HttpResponse:
        user = self._found(request, object_id)
        return self.step(request, user, title=title, explanation=explanation, service=service)

    def _found(self, request: HttpRequest, object_id: str) -> User:
        user: User | None = self.get_object(request, object_id)
        if user is None:
            raise Http404
        return user


class RoleAdmin(ReadOnlyAdmin):
    """What each role may do; a release changes it, nobody else."""

    list_display = ("name",)
    search_fields = ("name",)
    fields = ("name", "may")
    readonly_fields = ("may",)

    @admin.display(description="may")
    def may(self, role: Group) -> str:
        given = role.permissions.select_related("content_type").order_by(
            "content_type__app_label", "codename"
        )
        return "\n".join(f"{each.content_type.app_label}: {each.name}" for each in given)
