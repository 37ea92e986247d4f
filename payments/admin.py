"""Back-office screens of payments."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.html import format_html

from ledger.admin import ReadOnlyAdmin
from ledger.admin.base import detail_action
from payments.models import (
    AccountReport,
    ApiKey,
    Dispute,
    FeePlan,
    Gateway,
    GatewayEvent,
    IdempotencyKey,
    Login,
    Merchant,
    MerchantMember,
    Payment,
    Refund,
    SimulatedOperation,
    Transfer,
)
from payments.services.api_keys import revoke_api_key
from payments.services.gateway_events import settle_gateway_event
from payments.services.members import remove_member


@admin.display(description="ledger")
def ledger_link(record: Payment | Refund | Dispute | Transfer) -> str:
    """The journal entries about a record."""
    url = reverse("admin:ledger_journalentry_changelist")
    return format_html('<a href="{}?q={}">entries</a>', url, record.public_id)


@admin.register(Merchant)
class MerchantAdmin(ReadOnlyAdmin):
    list_display = ("code", "name", "email", "time_zone", "created_at")
    search_fields = ("code", "name", "email", "public_id")


@admin.register(MerchantMember)
class MerchantMemberAdmin(ReadOnlyAdmin):
    list_display = ("user", "merchant", "role", "created_at")
    list_filter = ("role",)
    list_select_related = ("user", "merchant")
    search_fields = ("user__username", "merchant__code")
    actions_detail = ("remove",)

    def has_remove_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("payments.delete_merchantmember")

    @detail_action("Remove", permission="remove")
    def remove(self, request: HttpRequest, object_id: str) -> HttpResponse:
        member = get_object_or_404(MerchantMember, pk=object_id)
        return self.step(
            request,
            member,
            title="Remove",
            explanation="The person cannot act for the merchant any more, from now on.",
            service=lambda actor, reason: remove_member(member, actor=actor, reason=reason),
        )

    def _url_of(self, record: Any) -> str:
        return reverse("admin:payments_merchantmember_changelist")


@admin.register(Login)
class LoginAdmin(ReadOnlyAdmin):
    list_display = ("public_id", "user", "created_at", "expires_at", "ended_at")
    list_select_related = ("user",)
    search_fields = ("public_id", "user__username")
    exclude = ("credentials", "refresh_id")


@admin.register(ApiKey)
class ApiKeyAdmin(ReadOnlyAdmin):
    list_display = (
        "name",
        "merchant",
        "prefix",
        "scopes",
        "last_used_at",
        "expires_at",
        "revoked_at",
    )
    list_select_related = ("merchant",)
    search_fields = ("name", "prefix", "public_id", "merchant__code")
    exclude = ("digest",)
    actions_detail = ("revoke",)

    def has_revoke_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("payments.change_apikey")

    @detail_action("Revoke", permission="revoke")
    def revoke(self, request: HttpRequest, object_id: str) -> HttpResponse:
        key = get_object_or_404(ApiKey, pk=object_id)
        return self.step(
            request,
            key,
            title="Revoke",
            explanation="No request is let in with this key any more. This cannot be undone.",
            service=lambda actor, reason: revoke_api_key(key, actor=actor, reason=reason),
        )


@admin.register(Gateway)
class GatewayAdmin(ReadOnlyAdmin):
    list_display = ("code", "name", "adapter", "fee_basis_points", "fee_fixed", "settlement_days")
    search_fields = ("code", "name")


@admin.register(FeePlan)
class FeePlanAdmin(ReadOnlyAdmin):
    list_display = ("merchant", "currency", "valid_from", "basis_points", "fixed")
    list_select_related = ("merchant",)
    search_fields = ("merchant__code",)


@admin.register(Payment)
class PaymentAdmin(ReadOnlyAdmin):
    list_display = (
        "public_id",
        "merchant",
        "money",
        "fee_money",
        "status",
        "failure_code",
        "reference",
        "gateway",
        "created_at",
        ledger_link,
    )
    list_filter = ("status", "currency", "gateway", "created_at")
    list_select_related = ("merchant", "gateway")
    search_fields = ("public_id", "reference", "gateway_reference", "merchant__code")


@admin.register(Refund)
class RefundAdmin(ReadOnlyAdmin):
    list_display = (
        "public_id",
        "payment",
        "merchant",
        "money",
        "status",
        "reference",
        "created_at",
        ledger_link,
    )
    list_filter = ("status", "currency", "created_at")
    list_select_related = ("merchant", "payment")
    search_fields = ("public_id", "reference", "payment__public_id", "merchant__code")


@admin.register(Dispute)
class DisputeAdmin(ReadOnlyAdmin):
    list_display = (
        "public_id",
        "payment",
        "merchant",
        "money",
        "status",
        "reference",
        "effective_at",
        ledger_link,
    )
    list_filter = ("status", "currency")
    list_select_related = ("merchant", "payment")
    search_fields = ("public_id", "reference", "payment__public_id", "merchant__code")


@admin.register(Transfer)
class TransferAdmin(ReadOnlyAdmin):
    list_display = (
        "public_id",
        "merchant",
        "source_account",
        "destination_account",
        "money",
        "status",
        "failure_code",
        ledger_link,
        "created_at",
    )
    list_filter = ("status", "currency")
    list_select_related = ("merchant", "source_account", "destination_account")
    search_fields = ("=public_id", "=idempotency_key", "=journal_entry")


@admin.register(AccountReport)
class AccountReportAdmin(ReadOnlyAdmin):
    list_display = ("public_id", "account", "starts_on", "ends_on", "is_balanced", "created_at")
    list_filter = ("is_balanced",)
    list_select_related = ("account",)
    search_fields = ("=public_id", "account__code")


@admin.register(SimulatedOperation)
class SimulatedOperationAdmin(ReadOnlyAdmin):
    list_display = ("key", "kind", "money", "source", "outcome", "created_at", "reported_on")
    list_filter = ("kind", "outcome", "reported_on")
    search_fields = ("key", "reference")


@admin.register(GatewayEvent)
class GatewayEventAdmin(ReadOnlyAdmin):
    list_display = ("event_id", "gateway", "kind", "status", "result", "received_at")
    list_filter = ("status", "gateway", "received_at")
    list_select_related = ("gateway",)
    search_fields = ("event_id", "kind", "result")
    fields = (
        *("gateway", "event_id", "kind", "status", "result", "attempts", "due_at"),
        *("received_at", "processed_at", "message"),
    )
    actions_detail = ("settle",)

    @admin.display(description="message")
    def message(self, event: GatewayEvent) -> str:
        return bytes(event.body).decode(errors="replace")

    def has_settle_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("payments.change_gatewayevent")

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Only what failed is settled."""
        event = self.get_object(request, object_id)
        has_failed = event is not None and event.status == GatewayEvent.Status.FAILED
        return super().get_actions_detail(request, object_id) if has_failed else []

    @detail_action("Settle", permission="settle")
    def settle(self, request: HttpRequest, object_id: str) -> HttpResponse:
        event = get_object_or_404(GatewayEvent, pk=object_id)
        return self.step(
            request,
            event,
            title="Settle",
            explanation="Our rows and the gateway agree again, or it is booked by hand.",
            service=lambda actor, reason: settle_gateway_event(event, actor=actor, reason=reason),
        )


@admin.register(IdempotencyKey)
class IdempotencyKeyAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "merchant", "route", "key", "http_status", "location")
    list_filter = ("route",)
    list_select_related = ("merchant",)
    search_fields = ("key", "request_id")
    fields = ("merchant", "route", "key", "request_id", "http_status", "location", "created_at")
