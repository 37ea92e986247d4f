"""What people are asked when they work on a discrepancy."""

from django import forms
from django.contrib.auth.models import User
from unfold.widgets import (
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from ledger.admin.base import ReasonForm
from reconciliation.models import WriteOff
from reconciliation.services.discrepancies import NOTE_LENGTH_MAX, ReasonCode


class ResolutionForm(ReasonForm):
    reason_code = forms.ChoiceField(choices=ReasonCode.choices, widget=UnfoldAdminSelectWidget)
    field_order: tuple[str, ...] = ("reason_code", "reason")


class WriteOffForm(ResolutionForm):
    kind = forms.ChoiceField(choices=WriteOff.Kind.choices, widget=UnfoldAdminSelectWidget)
    counter_account = forms.CharField(
        required=False,
        max_length=120,
        widget=UnfoldAdminTextInputWidget,
        help_text="For a booking only: the code of an account of ours. Empty: suspense.",
    )
    field_order = ("kind", "counter_account", "reason_code", "reason")


class NoteForm(forms.Form):
    text = forms.CharField(
        max_length=NOTE_LENGTH_MAX, widget=UnfoldAdminTextareaWidget(attrs={"rows": 4})
    )


class AssignmentForm(forms.Form):
    owner = forms.ModelChoiceField(
        User.objects.filter(is_staff=True, is_active=True).order_by("username"),
        required=False,
        empty_label="nobody",
        widget=UnfoldAdminSelectWidget,
    )
