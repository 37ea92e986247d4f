"""Accounts: what is on them, everything that went through, and all of them beside each other."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone

from ledger.admin.base import ReadOnlyAdmin
from ledger.admin.downloads import FORMATS, download
from ledger.entries import Direction
from ledger.models import Account, AccountGroup
from ledger.money import Money
from ledger.selectors import (
    AccountStatementLine,
    account_statement,
    trial_balance,
    trial_balance_accounts,
)
from ledger.selectors.statement_cursors import CursorInvalid
from ledger.selectors.statements import LINES_MAX, PeriodInvalid

LINES_SHOWN = 100
STATEMENT_COLUMNS = (
    *("effective_at", "posted_at", "journal_entry", "kind", "reference"),
    *("direction", "amount", "balance_after"),
)
TRIAL_COLUMNS = ("owner", "code", "name", "type", "currency", "debits", "credits", "balance")

DAY = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


class PeriodForm(forms.Form):
    """Days in UTC, both included; empty: from the beginning, until now."""

    since = forms.DateField(required=False, widget=DAY)
    until = forms.DateField(required=False, widget=DAY)

    @property
    def moments(self) -> dict[str, datetime | None]:
        given = self.cleaned_data if self.is_valid() else {}
        since, until = given.get("since"), given.get("until")
        return {
            "since": _begin(since) if since else None,
            "until": _begin(until + timedelta(days=1)) if until else None,
        }


class MomentForm(forms.Form):
    as_of = forms.DateField(required=False, widget=DAY)


@admin.register(AccountGroup)
class AccountGroupAdmin(ReadOnlyAdmin):
    list_display = ("prefix", "type", "name")
    list_filter = ("type",)
    search_fields = ("prefix", "name")


@admin.register(Account)
class AccountAdmin(ReadOnlyAdmin):
    list_display = ("code", "owner", "type", "currency", "balance_text", "held_text", "floor")
    list_filter = ("type", "currency")
    list_select_related = ("balance",)
    search_fields = ("code", "owner", "public_id", "name")
    fields = (
        *("code", "public_id", "owner", "name", "type", "currency", "floor", "is_frozen"),
        *("balance_text", "held_text", "created_at"),
    )
    change_form_template = "admin/ledger/account.html"

    @admin.display(description="balance")
    def balance_text(self, account: Account) -> str:
        return account.balance.money.text

    @admin.display(description="held")
    def held_text(self, account: Account) -> str:
        return account.balance.pending_money.text

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        urls: list[URLPattern] = [
            path("trial-balance/", wrap(self.trial_balance), name="ledger_trial_balance"),
            path("<int:pk>/statement.<str:file_format>", wrap(self.file), name="ledger_statement"),
            *super().get_urls(),
        ]
        return urls

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        account = self.get_object(request, object_id)
        if account is not None and self.has_view_permission(request, account):
            extra_context = {**(extra_context or {}), **_statement_context(request, account)}
        return super().change_view(request, object_id, form_url, extra_context)

    def file(self, request: HttpRequest, pk: int, file_format: str) -> HttpResponseBase:
        """The whole statement of the period, oldest line first."""
        account = self.get_object(request, str(pk))
        if account is None or file_format not in FORMATS:
            raise Http404
        if not self.has_view_permission(request, account):
            raise PermissionDenied
        moments = PeriodForm(request.GET).moments
        rows = (
            [getattr(line, column) for column in STATEMENT_COLUMNS]
            for line in _all_lines(account, moments)
        )
        name = f"statement-{account.public_id}"
        return download(name, STATEMENT_COLUMNS, rows, file_format)

    def trial_balance(self, request: HttpRequest) -> HttpResponseBase:
        """Debits and credits of every account that ever moved, now or at the end of a day (UTC)."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        form = MomentForm(request.GET)
        day = form.cleaned_data["as_of"] if form.is_valid() else None
        as_of = _begin(day + timedelta(days=1)) - timedelta(microseconds=1) if day else None
        accounts = trial_balance_accounts(as_of=as_of)
        file_format = request.GET.get("format", "")
        if file_format in FORMATS:
            rows = [[getattr(each, column) for column in TRIAL_COLUMNS] for each in accounts]
            name = f"trial-balance-{day or timezone.now().date()}"
            return download(name, TRIAL_COLUMNS, rows, file_format)
        context = {
            **self.admin_site.each_context(request),
            "title": "Trial balance",
            "form": form,
            "day": day,
            "totals": trial_balance(as_of=as_of),
            "accounts": accounts,
        }
        return TemplateResponse(request, "admin/ledger/trial_balance.html", context)


def _begin(day: date) -> datetime:
    return datetime.combine(day, time.min, UTC)


def _statement_context(request: HttpRequest, account: Account) -> dict[str, Any]:
    form = PeriodForm(request.GET)
    shown: dict[str, Any] = {**form.moments, "limit": LINES_SHOWN}
    problem = ""
    try:
        page = account_statement(account, cursor=request.GET.get("cursor") or None, **shown)
    except (CursorInvalid, PeriodInvalid) as refusal:
        problem = refusal.message
        page = account_statement(account, limit=LINES_SHOWN)
    sides = {side: [line for line in page.lines if line.direction == side] for side in Direction}
    return {
        "statement": page,
        "problem": problem,
        "period": form,
        "query": _period_query(request),
        "is_t_account": request.GET.get("view") == "t",
        "sides": [
            (side.title(), lines, sum((each.amount for each in lines), _none(account)))
            for side, lines in sides.items()
        ],
    }


def _none(account: Account) -> Money:
    return Money(0, account.currency)


def _period_query(request: HttpRequest) -> str:
    """What of the query says which lines, without where in them."""
    query = request.GET.copy()
    for name in set(query) - {"since", "until", "view"}:
        del query[name]
    return query.urlencode()


def _all_lines(account: Account, moments: dict[str, Any]) -> Iterator[AccountStatementLine]:
    asked = {**moments, "limit": LINES_MAX, "newest_first": False}
    page = account_statement(account, **asked)
    yield from page.lines
    while page.next_cursor:
        page = account_statement(account, **asked, cursor=page.next_cursor)
        yield from page.lines
