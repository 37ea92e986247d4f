"""Where merchants are paid to, and where payouts leave from; whole numbers for few eyes."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from ledger.actors import Actor
from ledger.admin import ReadOnlyAdmin
from ledger.admin.base import ReasonForm, detail_action
from ledger.errors import DomainError
from ledger.money import CURRENCY_EXPONENTS
from payments.models import Merchant
from settlements.admin.forms import AskingAdmin
from settlements.models import DebtorAccount, MerchantBankAccount
from settlements.rails.orders import NAME_LENGTH_MAX, NamedAccount
from settlements.services.bank_accounts import (
    ask_for_bank_account,
    refuse_bank_account,
    verify_bank_account,
)


class BankAccountForm(ReasonForm):
    merchant = forms.ModelChoiceField(Merchant.objects.all(), widget=UnfoldAdminSelectWidget)
    currency = forms.ChoiceField(
        choices=[(code, code) for code in sorted(CURRENCY_EXPONENTS)],
        widget=UnfoldAdminSelectWidget,
    )
    holder = forms.CharField(max_length=NAME_LENGTH_MAX, widget=UnfoldAdminTextInputWidget)
    iban = forms.CharField(max_length=50, label="IBAN", widget=UnfoldAdminTextInputWidget)
    bic = forms.CharField(
        max_length=11, required=False, label="BIC", widget=UnfoldAdminTextInputWidget
    )
    field_order = ("merchant", "currency", "holder", "iban", "bic", "reason")


@admin.register(MerchantBankAccount)
class MerchantBankAccountAdmin(AskingAdmin):
    list_display = (
        "merchant",
        "currency",
        "holder",
        "masked_iban",
        "status",
        "requested_by",
        "decided_by",
        "created_at",
    )
    list_filter = ("status", "currency")
    list_select_related = ("merchant",)
    search_fields = ("merchant__code", "holder")
    actions_list = ("ask_for",)
    actions_detail = ("verify", "refuse")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        sees_all = request.user.has_perm("settlements.see_full_iban")
        return (
            *("merchant", "currency", "holder", "iban" if sees_all else "masked_iban", "bic"),
            *("status", "requested_by", "decided_by", "created_at"),
        )

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Only of one that waits."""
        account = self.get_object(request, object_id)
        allowed = super().get_actions_detail(request, object_id)
        waits = account is not None and account.status == MerchantBankAccount.Status.UNVERIFIED
        return allowed if waits else []

    @detail_action("Ask for an account", permission="settlements.request_merchantbankaccount")
    def ask_for(self, request: HttpRequest) -> HttpResponse:
        form = BankAccountForm(request.POST or None)
        if form.is_valid():
            wish = form.cleaned_data
            try:
                account = ask_for_bank_account(
                    wish["merchant"],
                    NamedAccount(wish["holder"], wish["iban"], wish["bic"]),
                    currency=wish["currency"],
                    actor=Actor.user(request.user),
                    reason=wish["reason"],
                )
            except DomainError as refusal:
                form.add_error(None, refusal.message)
            else:
                messages.success(request, f"{account} waits for somebody else to verify it.")
                return HttpResponseRedirect(self._url_of(account))
        return self.ask(
            request,
            form,
            title="Ask for an account",
            explanation="Payouts to the merchant in this currency wait until somebody else has"
            " verified or refused it.",
            back=reverse(f"{self.admin_site.name}:settlements_merchantbankaccount_changelist"),
        )

    @detail_action("Verify", permission="settlements.verify_merchantbankaccount")
    def verify(self, request: HttpRequest, object_id: str) -> HttpResponse:
        account = self._found(request, object_id)
        return self.step(
            request,
            account,
            title="Verify",
            explanation=f"{account.requested_by} asked for it. Payouts go to this account from now"
            " on, and no more to the one before it.",
            service=lambda actor, reason: verify_bank_account(account, actor=actor, reason=reason),
        )

    @detail_action("Refuse", permission="settlements.refuse_merchantbankaccount")
    def refuse(self, request: HttpRequest, object_id: str) -> HttpResponse:
        account = self._found(request, object_id)
        return self.step(
            request,
            account,
            title="Refuse",
            explanation="Payouts go where they went before.",
            service=lambda actor, reason: refuse_bank_account(account, actor=actor, reason=reason),
        )

    def _found(self, request: HttpRequest, object_id: str) -> MerchantBankAccount:
        account = self.get_object(request, object_id)
        if account is None:
            raise Http404
        return account


@admin.register(DebtorAccount)
class DebtorAccountAdmin(ReadOnlyAdmin):
    list_display = ("code", "name", "currency", "iban", "bic", "is_active")
    list_filter = ("is_active", "currency")
    search_fields = ("code", "name", "iban")
