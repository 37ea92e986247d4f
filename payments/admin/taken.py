"""Payments by the business days they were taken on."""

from datetime import date, timedelta
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from payments.models import Payment
from payments.taken import taken_on


class TakenFilter(admin.SimpleListFilter):
    """`2026-11-01..2026-11-30`, both included, in the zone of the platform."""

    title = "taken here"
    parameter_name = "taken"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        today = timezone.localdate(timezone=settings.PLATFORM_ZONE)
        spans = {"Today": 1, "The last 7 days": 7, "The last 30 days": 30}
        return [
            (f"{today - timedelta(days=days - 1)}..{today}", label) for label, days in spans.items()
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Payment]) -> QuerySet[Payment]:
        if not self.value():
            return queryset
        first, _, last = str(self.value()).partition("..")
        try:
            days = date.fromisoformat(first), date.fromisoformat(last or first)
            return queryset.filter(taken_on(*days))
        except (ValueError, OverflowError):
            return queryset.none()
