"""Payout files: made, taken to the bank, withdrawn, and answered by it."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from unfold.widgets import (
    UnfoldAdminDateWidget,
    UnfoldAdminFileFieldWidget,
    UnfoldAdminSelectWidget,
)

from ledger.actors import Actor
from ledger.admin.base import ReasonForm, detail_action
from ledger.errors import DomainError
from ledger.money import Money
from settlements.admin.forms import AskingAdmin
from settlements.models import DebtorAccount, PayoutFile
from settlements.rails.safe_xml import MESSAGE_BYTES_MAX
from settlements.services.payout_files import (
    hand_over_payout_file,
    make_payout_files,
    withdraw_payout_file,
)
from settlements.services.status_reports import import_status_report

Status = PayoutFile.Status
ODDITIES_SHOWN = 10


class MakeForm(ReasonForm):
    debtor = forms.ModelChoiceField(
        DebtorAccount.objects.filter(is_active=True),
        widget=UnfoldAdminSelectWidget,
        label="Account of ours",
    )
    execution_on = forms.DateField(widget=UnfoldAdminDateWidget, label="Day on which it is paid")
    format = forms.ChoiceField(choices=PayoutFile.Format.choices, widget=UnfoldAdminSelectWidget)
    field_order = ("debtor", "execution_on", "format", "reason")


class ReportForm(forms.Form):
    file = forms.FileField(
        widget=UnfoldAdminFileFieldWidget, help_text="The bank's pain.002, as it came."
    )

    def clean_file(self) -> bytes:
        upload = self.cleaned_data["file"]
        if upload.size > MESSAGE_BYTES_MAX:
            raise forms.ValidationError(f"It has more than {MESSAGE_BYTES_MAX} bytes.")
        content: bytes = upload.read()
        return content


@admin.register(PayoutFile)
class PayoutFileAdmin(AskingAdmin):
    list_display = (
        "public_id",
        "debtor",
        "format",
        "execution_on",
        "payout_count",
        "total",
        "status",
        "created_by",
        "created_at",
    )
    list_filter = ("status", "format", "debtor", "execution_on")
    list_select_related = ("debtor",)
    search_fields = ("public_id", "sha256", "attempts__payout__public_id")
    actions_list = ("make", "import_report")
    actions_detail = ("download", "withdraw")

    def get_queryset(self, request: HttpRequest) -> QuerySet[PayoutFile]:
        # The bytes leave by the download only.
        return super().get_queryset(request).defer("content")

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Only the steps that fit the status of the file."""
        file = self.get_object(request, object_id)
        allowed = super().get_actions_detail(request, object_id)
        if file is None or file.status == Status.REJECTED:
            return []
        return [step for step in allowed if step.path == "download" or file.status == "CREATED"]

    @admin.display(description="control sum", ordering="control_sum")
    def total(self, file: PayoutFile) -> Money:
        return Money(file.control_sum, file.debtor.currency)

    @detail_action("Make files", permission="settlements.make_payoutfile")
    def make(self, request: HttpRequest) -> HttpResponse:
        today = timezone.localdate(timezone=settings.PLATFORM_ZONE)
        form = MakeForm(request.POST or None, initial={"execution_on": today})
        if form.is_valid():
            wish = form.cleaned_data
            try:
                files = make_payout_files(
                    currency=wish["debtor"].currency,
                    execution_on=wish["execution_on"],
                    format=wish["format"],
                    actor=Actor.user(request.user),
                    reason=wish["reason"],
                )
            except DomainError as refusal:
                form.add_error(None, refusal.message)
            else:
                messages.success(request, f"{len(files)} payout files made.")
                return HttpResponseRedirect(self._list_url)
        return self.ask(
            request,
            form,
            title="Make files",
            explanation="All approved payouts in the account's currency that can go. They are in"
            " transit once a file is downloaded.",
            back=self._list_url,
        )

    @detail_action("Load the bank's answer", permission="settlements.import_statusreport")
    def import_report(self, request: HttpRequest) -> HttpResponse:
        form = ReportForm(request.POST or None, request.FILES or None)
        if form.is_valid():
            try:
                outcome = import_status_report(
                    form.cleaned_data["file"], actor=Actor.user(request.user)
                )
            except DomainError as refusal:
                form.add_error(None, refusal.message)
            else:
                refused = len(outcome.rejected)
                messages.success(
                    request, f"{outcome.file} is {outcome.file.status}; {refused} payouts refused."
                )
                for oddity in outcome.oddities[:ODDITIES_SHOWN]:
                    messages.warning(request, oddity)
                return HttpResponseRedirect(self._url_of(outcome.file))
        return self.ask(
            request,
            form,
            title="Load the bank's answer",
            explanation="What the bank refused is due again, and somebody else than you has to"
            " approve it. Loading the same answer again changes nothing.",
            back=self._list_url,
        )

    @detail_action("Download", permission="settlements.download_payoutfile")
    def download(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """A POST, because its payouts are in transit from then on."""
        file = self._found(request, object_id)
        if request.method != "POST":
            return self.ask(
                request,
                forms.Form(),
                title="Download",
                explanation=f"{file.payout_count} payouts of {self.total(file)} are in transit from"
                " then on; take the file to the bank. The download is written down.",
                back=self._url_of(file),
            )
        try:
            content = hand_over_payout_file(file, actor=Actor.user(request.user))
        except DomainError as refusal:
            messages.error(request, refusal.message)
            return HttpResponseRedirect(self._url_of(file))
        return HttpResponse(
            content,
            content_type="application/octet-stream",
            headers={"Content-Disposition": f'attachment; filename="{file.file_name}"'},
        )

    @detail_action("Withdraw", permission="settlements.withdraw_payoutfile")
    def withdraw(self, request: HttpRequest, object_id: str) -> HttpResponse:
        file = self._found(request, object_id)
        return self.step(
            request,
            file,
            title="Withdraw",
            explanation="Nobody has the file yet. Its payouts stay approved and can join another"
            " one or be canceled.",
            service=lambda actor, reason: withdraw_payout_file(file, actor=actor, reason=reason),
        )

    @property
    def _list_url(self) -> str:
        return reverse(f"{self.admin_site.name}:settlements_payoutfile_changelist")

    def _found(self, request: HttpRequest, object_id: str) -> PayoutFile:
        file = self.get_object(request, object_id)
        if file is None:
            raise Http404
        return file
