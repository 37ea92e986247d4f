"""Steps that move money, decide what others asked for or open doors need a fresh second factor."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.template.response import TemplateResponse

from config.people.pages import code_field, is_signed_in
from config.people.second_factor import is_fresh, pass_second_factor
from ledger.errors import DomainError

# Names of pages; of the list pages, with the bulk actions that are such steps.
STEPS = {
    "auth_user_add_person",
    "auth_user_ask_for_roles",
    "auth_user_shut_out",
    "auth_user_let_in",
    "auth_user_set_first_password",
    "auth_user_unlock",
    "auth_user_ask_to_reset_second_factor",
    "ledger_accountingperiod_approve_reopening",
    "ledger_accountingperiod_close",
    "ledger_accountingperiod_lock",
    "ledger_changerequest_approve",
    "payments_apikey_revoke",
    "payments_feeplan_ask_for_prices",
    "payments_parkedwork_discard",
    "payments_webhookendpoint_create",
    "payments_webhookendpoint_enable",
    "payments_webhookendpoint_rotate_secret",
    "reconciliation_discrepancy_match_by_hand",
    "reconciliation_match_undo",
    "reconciliation_signoff_sign",
    "reconciliation_signoff_withdraw",
    "reconciliation_source_change_source",
    "reconciliation_source_ask_for_tolerance",
    "reconciliation_writeoff_approve",
    "reconciliation_writeoff_reverse",
    "settlements_adjustment_approve",
    "settlements_merchantbankaccount_verify",
    "settlements_payout_approve",
    "settlements_payoutfile_download",
}
BULK_STEPS = {"settlements_payout_changelist": {"approve_selected"}}
CODE, ASKED_BY = "second_factor_code", "second_factor_asked_by"
OURS = (CODE, ASKED_BY, "csrfmiddlewaretoken")


class StepUpForm(forms.Form):
    second_factor_code = code_field()


class StepUpMiddleware:
    """Asks for the second factor again where it was shown more than five minutes ago.

    What was typed is sent along and not lost.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Any, args: Any, kwargs: Any
    ) -> HttpResponse | None:
        if not settings.SECOND_FACTOR_REQUIRED or not is_step(request):
            return None
        # The site itself turns away whoever is not signed in.
        if not is_signed_in(request) or is_fresh(request):
            return None
        form = StepUpForm(request.POST if CODE in request.POST else None)
        if form.is_valid():
            try:
                pass_second_factor(request, form.cleaned_data[CODE])
            except DomainError as refusal:
                form.add_error(CODE, refusal.message)
            else:
                return _goes_on(request)
        return _asks(request, form)


def is_step(request: HttpRequest) -> bool:
    found = request.resolver_match
    if found is None or found.namespace != "admin":
        return False
    name = str(found.url_name)
    # A form may name several actions, and a number beside them says which one counts.
    return name in STEPS or not BULK_STEPS.get(name, set()).isdisjoint(
        request.POST.getlist("action")
    )


def _goes_on(request: HttpRequest) -> HttpResponse | None:
    """To the step itself, as if nobody had asked in between."""
    if request.POST.get(ASKED_BY) == "GET":
        return HttpResponseRedirect(request.get_full_path())
    sent = request.POST.copy()
    for name in (CODE, ASKED_BY):
        sent.pop(name, None)
    sent._mutable = False
    request.POST = sent  # type: ignore[assignment]
    return None


def _asks(request: HttpRequest, form: StepUpForm) -> HttpResponse:
    context = {
        **admin.site.each_context(request),
        "title": "Show that it is you",
        "form": form,
        "sent": _sent(request.POST),
        "asked_by": request.POST.get(ASKED_BY, request.method),
        "asked_by_name": ASKED_BY,
    }
    return TemplateResponse(request, "admin/second_factor/step_up.html", context)


def _sent(data: QueryDict) -> list[tuple[str, str]]:
    return [
        (name, str(value)) for name, values in data.lists() if name not in OURS for value in values
    ]
