"""The audit trail: found by who, what, when and about what, and taken away as a file."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import TextFilter
from unfold.widgets import (
    UnfoldAdminSelectWidget,
    UnfoldAdminSingleDateWidget,
    UnfoldAdminTextInputWidget,
)

from ledger.admin.base import ReadOnlyAdmin, detail_action
from ledger.admin.downloads import FORMATS, download
from ledger.models import AuditEvent

COLUMNS = (
    *("created_at", "actor_kind", "actor_id", "actor_label", "action", "subject", "reason"),
    *("before", "after", "request_id", "address", "user_agent"),
)
# What fits into memory, and into a sheet.
SHEET_ROWS_MAX = 100_000
LOOKUPS = {
    "actor": "actor_label",
    "action": "action__startswith",
    "subject": "subject",
    "since": "created_at__gte",
    "until": "created_at__lt",
}


class _Filter(TextFilter):
    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        value = self.value()
        return queryset.filter(**{LOOKUPS[self.parameter_name]: value}) if value else queryset


class ActorFilter(_Filter):
    title, parameter_name = "who", "actor"


class ActionFilter(_Filter):
    title, parameter_name = "what (or its beginning)", "action"


class SubjectFilter(_Filter):
    title, parameter_name = "about", "subject"


class _DayFilter(TextFilter):
    days_later = 0

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        """Days are UTC; what is no day finds nothing."""
        if not (value := self.value()):
            return queryset
        try:
            moment = _begin(date.fromisoformat(value)) + timedelta(days=self.days_later)
        except (ValueError, OverflowError):
            return queryset.none()
        return queryset.filter(**{LOOKUPS[self.parameter_name]: moment})


class SinceFilter(_DayFilter):
    title, parameter_name = "first day (2026-01-31)", "since"


class UntilFilter(_DayFilter):
    title, parameter_name = "last day (2026-01-31)", "until"
    days_later = 1


class ExportForm(forms.Form):
    since = forms.DateField(required=False, label="From", widget=UnfoldAdminSingleDateWidget)
    until = forms.DateField(required=False, label="To", widget=UnfoldAdminSingleDateWidget)
    actor = forms.CharField(required=False, label="Who", widget=UnfoldAdminTextInputWidget)
    action = forms.CharField(
        required=False,
        label="What",
        widget=UnfoldAdminTextInputWidget,
        help_text="payout.approved, or its beginning: payout",
    )
    subject = forms.CharField(required=False, label="About", widget=UnfoldAdminTextInputWidget)
    format = forms.ChoiceField(
        choices=[(each, each.upper()) for each in FORMATS], widget=UnfoldAdminSelectWidget
    )

    def clean(self) -> dict[str, Any] | None:
        if self.cleaned_data.get("format") == "xlsx":
            found = self.events()[: SHEET_ROWS_MAX + 1].count()
            if found > SHEET_ROWS_MAX:
                self.add_error(
                    "format", f"A sheet takes {SHEET_ROWS_MAX} events: choose fewer days, or CSV."
                )
        return self.cleaned_data

    def events(self) -> QuerySet[AuditEvent]:
        """Oldest first. Days are UTC, both included."""
        asked = {name: self.cleaned_data.get(name) for name in LOOKUPS}
        if since := asked["since"]:
            asked["since"] = _begin(since)
        if until := asked["until"]:
            asked["until"] = _begin(until) + timedelta(days=1)
        wanted = {LOOKUPS[name]: value for name, value in asked.items() if value}
        return AuditEvent.objects.filter(**wanted).order_by("pk")


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnlyAdmin):
    list_display = (
        *("created_at", "actor_label", "action", "subject", "reason"),
        *("changes_text", "address", "request_id"),
    )
    list_filter = (ActorFilter, ActionFilter, SubjectFilter, SinceFilter, UntilFilter, "actor_kind")
    list_filter_submit = True
    search_fields = ("=subject", "=actor_label", "=request_id", "=address")
    search_help_text = "A public id, a name, a request id or an address, as it is."
    fields = (
        *("created_at", "actor_kind", "actor_id", "actor_label", "action", "subject", "reason"),
        *("request_id", "address", "user_agent", "changes"),
    )
    actions_list = ("export",)

    @detail_action("Export", permission="ledger.export_auditevent")
    def export(self, request: HttpRequest) -> HttpResponseBase:
        form = ExportForm(request.POST or None)
        if form.is_valid():
            asked = form.cleaned_data
            name = f"audit-trail-{asked['since'] or 'begin'}-{asked['until'] or 'now'}"
            return download(name, COLUMNS, _rows(form.events()), asked["format"])
        context = {
            **self.admin_site.each_context(request),
            **{"opts": self.opts, "title": "Export", "form": form},
            "explanation": "Everything is an event of the audit trail; this export is one too.",
            "back": reverse(f"{self.admin_site.name}:ledger_auditevent_changelist"),
        }
        return TemplateResponse(request, "admin/ledger/step.html", context)

    @admin.display(description="changes")
    def changes_text(self, event: AuditEvent) -> str:
        return "; ".join(
            f"{name}: {before} → {after}" if before else f"{name}: {after}"
            for name, before, after in _changes(event)
        )

    @admin.display(description="before and after")
    def changes(self, event: AuditEvent) -> SafeString:
        return render_to_string("admin/ledger/changes.html", {"changes": _changes(event)})


def _rows(events: QuerySet[AuditEvent]) -> Iterator[list[object]]:
    for event in events.iterator(chunk_size=1000):
        values = [getattr(event, column) for column in COLUMNS]
        yield [_text(value) if isinstance(value, dict) else value for value in values]


def _text(told: dict[str, Any]) -> str:
    return "; ".join(f"{name}: {value}" for name, value in told.items())


def _changes(event: AuditEvent) -> list[tuple[str, Any, Any]]:
    """Each field with what it was before and after; "" where it is not told."""
    names = {**event.before, **event.after}
    return [
        (name, _readable(event.before.get(name)), _readable(event.after.get(name)))
        for name in names
    ]


def _readable(value: Any) -> str:
    return "" if value is None else str(value)


def _begin(day: date) -> datetime:
    return datetime.combine(day, time.min, UTC)
