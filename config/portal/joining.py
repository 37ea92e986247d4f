"""Where an invitation leads: a password, and the person is a member."""

from django.contrib.auth import authenticate, login
from django.contrib.auth.models import User
from django.forms import Form
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from config.portal.doors import Door
from config.portal.invitations import Invitation, join, join_anew, read_invitation
from config.portal.password_forms import NewPasswordForm, OwnPasswordForm
from config.portal.visitors import CHOSEN
from payments.models import Merchant


class Join(Door):
    """The password of the invited address; the first one, if nobody has signed up with it."""

    def get(self, request: HttpRequest, token: str) -> HttpResponse:
        invitation = read_invitation(token)
        is_known = _is_known(invitation)
        return self._form(
            invitation, OwnPasswordForm() if is_known else NewPasswordForm(_newcomer(invitation))
        )

    def post(self, request: HttpRequest, token: str) -> HttpResponse:
        self.count_guess()
        invitation = read_invitation(token)
        if _is_known(invitation):
            return self._join_known(invitation)
        user = _newcomer(invitation)
        form = NewPasswordForm(user, request.POST)
        if not form.is_valid():
            return self._form(invitation, form)
        form.save(commit=False)
        join_anew(invitation, user)
        return self._let_in(invitation, user)

    def _join_known(self, invitation: Invitation) -> HttpResponse:
        form = OwnPasswordForm(self.request.POST)
        if not form.is_valid():
            return self._form(invitation, form)
        user = authenticate(
            self.request, username=invitation.email, password=form.cleaned_data["password"]
        )
        if not isinstance(user, User):
            form.add_error("password", "This is not the password, or it was tried too often.")
            return self._form(invitation, form)
        join(invitation, user)
        return self._let_in(invitation, user)

    def _let_in(self, invitation: Invitation, user: User) -> HttpResponse:
        # More than one backend could know a newcomer; there is one.
        login(self.request, user, backend="config.people.sign_in.PasswordBackend")
        self.request.session[CHOSEN] = invitation.merchant
        return HttpResponseRedirect(reverse("portal:overview"))

    def _form(self, invitation: Invitation, form: Form) -> HttpResponse:
        merchant = Merchant.objects.get(public_id=invitation.merchant)
        return self.page(
            "join",
            title=f"Join {merchant.name}",
            merchant=merchant,
            invitation=invitation,
            form=form,
        )


def _is_known(invitation: Invitation) -> bool:
    return User.objects.filter(username=invitation.email).exists()


def _newcomer(invitation: Invitation) -> User:
    return User(username=invitation.email, email=invitation.email)
