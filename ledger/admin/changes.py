"""Changes that take two people: what is asked for beside what is in force, and the decision."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from ledger.actors import Actor
from ledger.admin.base import ReadOnlyAdmin, detail_action
from ledger.admin.filters import WaitsForMeFilter
from ledger.changes import carrier_of, carriers
from ledger.models import ChangeRequest
from ledger.services.changes import approve_change, refuse_change, withdraw_change

Status = ChangeRequest.Status
Service = Callable[..., object]


class ChangeWaits(WaitsForMeFilter):
    status = Status.REQUESTED
    asked_by = "requested_by"

    @classmethod
    def waiting(cls, request: HttpRequest, rows: QuerySet[Any]) -> QuerySet[Any]:
        """What the viewer may approve and is not too late for."""
        mine = [each.kind for each in carriers() if _may(request, each.permission("approve"))]
        return super().waiting(request, rows).filter(kind__in=mine, expires_at__gte=timezone.now())


@admin.register(ChangeRequest)
class ChangeRequestAdmin(ReadOnlyAdmin):
    list_display = (
        *("public_id", "what", "subject", "status", "requested_by", "created_at"),
        *("expires_at", "decided_by"),
    )
    list_filter = (ChangeWaits, "status", "kind", "created_at")
    search_fields = ("=public_id", "=subject", "requested_by", "decided_by", "reason")
    fields = (
        *("public_id", "what", "subject", "asked_for", "reason", "requested_by", "created_at"),
        *("expires_at", "status", "decided_by", "decided_at", "digest"),
    )
    readonly_fields = ("what", "asked_for")
    actions_detail = ("approve", "refuse", "withdraw")

    def get_queryset(self, request: HttpRequest) -> QuerySet[ChangeRequest]:
        """Only of kinds that the viewer sees, or has a part in."""
        kinds = [each.kind for each in carriers() if each.is_seen_by(request.user)]
        return super().get_queryset(request).filter(Q(kind__in=kinds))

    def has_approve_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return self._may(request, "approve", object_id)

    def has_refuse_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return self._may(request, "refuse", object_id)

    def has_withdraw_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return self._may(request, "withdraw", object_id)

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Only of one that waits."""
        change = self.get_object(request, object_id)
        allowed = super().get_actions_detail(request, object_id)
        return allowed if change is not None and change.status == Status.REQUESTED else []

    @admin.display(description="what", ordering="kind")
    def what(self, change: ChangeRequest) -> str:
        return carrier_of(change).title

    @admin.display(description="asked for")
    def asked_for(self, change: ChangeRequest) -> SafeString:
        """Each field, as it was and as it is to be."""
        return format_html_join("", "<p>{}</p>", ([line] for line in _lines(change)))

    @detail_action("Approve", permission="approve")
    def approve(self, request: HttpRequest, object_id: str) -> HttpResponse:
        change = self._found(request, object_id)
        return self._decide(
            request,
            change,
            "Approve",
            f"{change.requested_by} asked for it: {change.reason}\n\nJust this is done:\n"
            + "\n".join(_lines(change)),
            approve_change,
        )

    @detail_action("Refuse", permission="refuse")
    def refuse(self, request: HttpRequest, object_id: str) -> HttpResponse:
        change = self._found(request, object_id)
        return self._decide(request, change, "Refuse", "Everything stays as it is.", refuse_change)

    @detail_action("Withdraw", permission="withdraw")
    def withdraw(self, request: HttpRequest, object_id: str) -> HttpResponse:
        change = self._found(request, object_id)
        return self._decide(
            request, change, "Withdraw", "Everything stays as it is.", withdraw_change
        )

    def _decide(
        self,
        request: HttpRequest,
        change: ChangeRequest,
        title: str,
        explanation: str,
        service: Service,
    ) -> HttpResponse:
        def decide(actor: Actor, reason: str) -> object:
            return service(change, actor=actor, reason=reason)

        return self.step(request, change, title=title, explanation=explanation, service=decide)

    def _may(self, request: HttpRequest, step: str, object_id: Any) -> bool:
        """For this kind of change; without one that is seen, for any kind."""
        change = self.get_object(request, object_id) if object_id else None
        asked = carriers() if change is None else [carrier_of(change)]
        return any(_may(request, each.permission(step)) for each in asked)

    def _found(self, request: HttpRequest, object_id: str) -> ChangeRequest:
        change: ChangeRequest | None = self.get_object(request, object_id)
        if change is None:
            raise Http404
        return change


def _may(request: HttpRequest, permission: str) -> bool:
    return request.user.has_perm(permission)


def _lines(change: ChangeRequest) -> list[str]:
    """What changes, and what stays as it is among what is asked for."""
    return [
        f"{name.replace('_', ' ')}: {_plain(asked)}"
        if name not in change.in_force or change.in_force[name] == asked
        else f"{name.replace('_', ' ')}: {_plain(asked)} (now {_plain(change.in_force[name])})"
        for name, asked in change.payload.items()
    ]


def _plain(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return "none" if value in (None, "") else str(value)
