"""Forms with passwords in them."""

from django import forms
from django.contrib.auth import authenticate
from django.contrib.auth.forms import PasswordChangeForm, SetPasswordForm

from payments.api.auth import PASSWORD_LENGTH_MAX

TOO_LONG = f"A password has at most {PASSWORD_LENGTH_MAX} characters."


class OwnPasswordForm(forms.Form):
    password = forms.CharField(
        max_length=PASSWORD_LENGTH_MAX,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )


class NewPasswordForm(SetPasswordForm):
    """A password twice; one that is longer than the API's log-in takes is refused."""

    def clean_new_password1(self) -> str:
        said: str = self.cleaned_data["new_password1"]
        if len(said) > PASSWORD_LENGTH_MAX:
            raise forms.ValidationError(TOO_LONG)
        return said


class ChangePasswordForm(NewPasswordForm, PasswordChangeForm):
    """Whoever guesses the old password is counted as at the door."""

    def clean_old_password(self) -> str:
        old: str = self.cleaned_data["old_password"]
        if authenticate(username=self.user.get_username(), password=old) is None:
            raise forms.ValidationError("This is not your password, or it was tried too often.")
        return old


class ForgottenForm(forms.Form):
    email = forms.CharField(
        label="E-mail",
        max_length=150,
        widget=forms.EmailInput(attrs={"autocomplete": "username", "autofocus": True}),
    )

    def clean_email(self) -> str:
        return str(self.cleaned_data["email"]).lower()
