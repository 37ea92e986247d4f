"""What was sent to endpoints, try by try."""

from typing import Any

from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse
from unfold.admin import TabularInline

from ledger.admin import ReadOnlyAdmin
from ledger.admin.base import detail_action
from payments.models import WebhookAttempt, WebhookDelivery, WebhookEndpoint
from payments.services.webhook_deliveries import retry_delivery


class AttemptInline(TabularInline):
    model = WebhookAttempt
    fields = ("number", "asked_at", "milliseconds", "status_code", "error", "answer")
    extra = 0

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whoever may see the delivery."""
        return True

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(WebhookDelivery)
class WebhookDeliveryAdmin(ReadOnlyAdmin):
    list_display = (
        *("public_id", "event", "endpoint", "status", "tries", "due_at", "delivered_at"),
        "created_at",
    )
    list_filter = ("status", "created_at")
    list_select_related = ("event", "endpoint")
    search_fields = ("=public_id", "=event__public_id", "=endpoint__public_id")
    fields = (
        *("public_id", "event", "endpoint", "status", "tries", "due_at", "delivered_at"),
        *("created_at", "attempts", "failures", "deaths", "problem"),
    )
    inlines = (AttemptInline,)
    actions_detail = ("retry",)

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Only of what can be sent."""
        delivery = self.get_object(request, object_id)
        can_be_sent = (
            delivery is not None and delivery.endpoint.status == WebhookEndpoint.Status.ENABLED
        )
        return super().get_actions_detail(request, object_id) if can_be_sent else []

    @detail_action("Retry", permission="payments.change_webhookdelivery")
    def retry(self, request: HttpRequest, object_id: str) -> HttpResponse:
        delivery = self.get_object(request, object_id)
        if delivery is None:
            raise Http404
        return self.step(
            request,
            delivery,
            title="Retry",
            explanation="It is due at once, under the same id, whatever became of it before.",
            service=lambda actor, reason: retry_delivery(delivery, actor=actor, reason=reason),
        )
