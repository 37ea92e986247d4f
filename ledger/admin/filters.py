"""Filters all floors use."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from ledger.actors import Actor


class WaitsForMeFilter(admin.SimpleListFilter):
    """What waits for a second person, asked for by somebody else than the viewer."""

    title = "waits for"
    parameter_name = "waits_for"
    status = ""  # while it waits
    asked_by = ""  # the field that says who asked

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("me", "Me: somebody else asked")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return self.waiting(request, queryset) if self.value() == "me" else queryset

    @classmethod
    def waiting(cls, request: HttpRequest, rows: QuerySet[Any]) -> QuerySet[Any]:
        return rows.filter(status=cls.status).exclude(
            **{cls.asked_by: str(Actor.user(request.user))}
        )
