"""Gateways, what they told us, and the one that is our own."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404

from ledger.admin import ReadOnlyAdmin
from ledger.admin.base import detail_action
from payments.models import Gateway, GatewayEvent, SimulatedOperation
from payments.services.gateway_events import settle_gateway_event


@admin.register(Gateway)
class GatewayAdmin(ReadOnlyAdmin):
    list_display = ("code", "name", "adapter", "fee_basis_points", "fee_fixed", "settlement_days")
    search_fields = ("code", "name")


@admin.register(GatewayEvent)
class GatewayEventAdmin(ReadOnlyAdmin):
    list_display = ("event_id", "gateway", "kind", "status", "result", "received_at")
    list_filter = ("status", "gateway", "received_at")
    list_select_related = ("gateway",)
    search_fields = ("event_id", "kind", "result")
    fields = (
        *("gateway", "event_id", "kind", "status", "result", "attempts", "due_at", "problem"),
        *("received_at", "processed_at", "message"),
    )
    actions_detail = ("settle",)

    @admin.display(description="message")
    def message(self, event: GatewayEvent) -> str:
        return bytes(event.body).decode(errors="replace")

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Only what failed is settled."""
        event = self.get_object(request, object_id)
        has_failed = event is not None and event.status == GatewayEvent.Status.FAILED
        return super().get_actions_detail(request, object_id) if has_failed else []

    @detail_action("Settle", permission="payments.change_gatewayevent")
    def settle(self, request: HttpRequest, object_id: str) -> HttpResponse:
        event = get_object_or_404(GatewayEvent, pk=object_id)
        return self.step(
            request,
            event,
            title="Settle",
            explanation="Our rows and the gateway agree again, or it is booked by hand.",
            service=lambda actor, reason: settle_gateway_event(event, actor=actor, reason=reason),
        )


@admin.register(SimulatedOperation)
class SimulatedOperationAdmin(ReadOnlyAdmin):
    list_display = ("key", "kind", "money", "source", "outcome", "created_at", "reported_on")
    list_filter = ("kind", "outcome", "reported_on")
    search_fields = ("key", "reference")
