"""Sources, and the tie-out of each of their accounts."""

from datetime import date, datetime
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path

from ledger.admin import ReadOnlyAdmin
from ledger.money import Money
from reconciliation.admin.settings import SourceSettingsAdmin
from reconciliation.models import Source, SourceAccount
from reconciliation.report_files import CONTENT_TYPES, rendered
from reconciliation.reports import known_horizon, tie_out_report
from reconciliation.selectors import latest_day
from reconciliation.sign_off import obstacles_to_sign_off


@admin.register(Source)
class SourceAdmin(SourceSettingsAdmin):
    list_display = ("code", "kind", "formats", "zone", "gateway", "counterparties")
    list_select_related = ("gateway",)
    search_fields = ("code",)


@admin.register(SourceAccount)
class SourceAccountAdmin(ReadOnlyAdmin):
    list_display = ("identifier", "source", "currency", "ledger_account", "opening_balance")
    list_select_related = ("source", "ledger_account")
    search_fields = ("identifier", "source__code")

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.tie_out)
        name = "reconciliation_sourceaccount_tie_out"
        urls: list[URLPattern] = [path("<int:pk>/tie-out/", view, name=name), *super().get_urls()]
        return urls

    def tie_out(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The report of a day, as known at a moment (default: now), or as a file of it."""
        account = SourceAccount.objects.select_related("source", "ledger_account").filter(pk=pk)
        found = account.first()
        if found is None:
            raise Http404
        if not self.has_view_permission(request, found):
            raise PermissionDenied
        day, known_at = _day(request), _moment(request)
        context: dict[str, Any] = {
            **self.admin_site.each_context(request),
            "title": f"Tie-out of {found}",
            "account": found,
            "day": day,
            "report": None,
        }
        if day is not None:
            report = tie_out_report(found, day=day, known_at=known_at)
            file_format = request.GET.get("format", "")
            if file_format in CONTENT_TYPES:
                return _file(report, file_format, f"tie-out-{day}-{found.source.code}-{found.pk}")
            context |= {
                "report": report,
                "known_at": known_at,
                "is_zero": not Money.of(report["difference"], found.currency),
                "obstacles": obstacles_to_sign_off(found, day=day),
            }
        return TemplateResponse(request, "admin/reconciliation/tie_out.html", context)


def _file(report: dict[str, Any], file_format: str, name: str) -> HttpResponse:
    return HttpResponse(
        rendered([report], file_format),
        content_type=CONTENT_TYPES[file_format],
        headers={"Content-Disposition": f'attachment; filename="{name}.{file_format}"'},
    )


def _day(request: HttpRequest) -> date | None:
    """The one that is asked for; else the latest one any statement covers."""
    try:
        return date.fromisoformat(request.GET["day"])
    except (KeyError, ValueError):
        return latest_day()


def _moment(request: HttpRequest) -> datetime:
    """The one that is asked for, never one that may still change."""
    horizon = known_horizon()
    try:
        asked = datetime.fromisoformat(request.GET["known_at"])
    except (KeyError, ValueError):
        return horizon
    return min(asked, horizon) if asked.tzinfo is not None else horizon
