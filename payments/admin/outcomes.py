"""What the screens of payments and refunds share: what their gateway said, and asking it now."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timesince import timesince

from ledger.admin import ReadOnlyAdmin
from ledger.admin.base import detail_action
from payments import work
from payments.models import GatewayAttempt, Heartbeat, ParkedWork, Payment, Refund
from payments.services.enquiries import ask_now, is_over, with_last_question, with_unknown_outcome

ATTEMPTS_SHOWN_MAX = 200
WORK_FIELDS = (
    *("attempts", "due_at", "worker", "failures", "deaths", "problem", "parked"),
    *("unknown_for", "history"),
)


class OutcomeFilter(admin.SimpleListFilter):
    title = "outcome"
    parameter_name = "outcome"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("unknown", "Unknown: the gateway was asked and has not answered")]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        return with_unknown_outcome(queryset) if self.value() == "unknown" else queryset


class OutcomeAdmin(ReadOnlyAdmin):
    """A screen of rows that a gateway is asked about."""

    actions_detail = ("ask_gateway",)

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return with_last_question(super().get_queryset(request))

    @admin.display(description="unknown for")
    def unknown_for(self, row: Any) -> str:
        """How long ago the gateway was first asked for what it has not answered yet."""
        if is_over(row) or row.last_answer != GatewayAttempt.Answer.UNANSWERED:
            return ""
        return timesince(row.unanswered_since)

    @admin.display(description="worker")
    def worker(self, row: Payment | Refund) -> str:
        """Who has it in hand."""
        if row.holder is None:
            return ""
        if row.holder == work.NO_HEARTBEAT:
            return "one without heartbeat"
        heartbeat = Heartbeat.objects.filter(pk=row.holder).first()
        if heartbeat is None:
            return f"{row.holder}, gone"
        seconds = (timezone.now() - heartbeat.seen_at).total_seconds()
        return f"{heartbeat}, seen {seconds:.0f} s ago"

    @admin.display(description="parked")
    def parked(self, row: Payment | Refund) -> str:
        record = ParkedWork.objects.filter(
            queue=self.opts.db_table, row_id=row.pk, resolved_at=None
        ).first()
        if record is None:
            return ""
        url = reverse("admin:payments_parkedwork_change", args=[record.pk])
        return format_html('<a href="{}">since {}</a>', url, f"{record.parked_at:%Y-%m-%d %H:%M}")

    @admin.display(description="what the gateway was asked")
    def history(self, row: Payment | Refund) -> SafeString:
        attempts = GatewayAttempt.objects.filter(subject=row.public_id).order_by("-id")
        context = {"attempts": attempts[:ATTEMPTS_SHOWN_MAX]}
        return render_to_string("admin/payments/attempts.html", context)

    def has_ask_gateway_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm(f"payments.change_{self.opts.model_name}")

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Only while the gateway owes an answer."""
        row = self.get_object(request, object_id)
        is_unknown = row is not None and with_unknown_outcome(
            self.get_queryset(request).filter(pk=row.pk)
        )
        return super().get_actions_detail(request, object_id) if is_unknown else []

    @detail_action("Ask the gateway now", permission="ask_gateway")
    def ask_gateway(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row = self.get_object(request, object_id)
        if row is None:
            raise Http404
        return self.step(
            request,
            row,
            title="Ask the gateway now",
            explanation="It is due at once; a worker asks what became of it within seconds.",
            service=lambda actor, reason: ask_now(row, actor=actor, reason=reason),
        )


@admin.register(GatewayAttempt)
class GatewayAttemptAdmin(ReadOnlyAdmin):
    list_display = (
        "asked_at",
        "gateway",
        "subject",
        "number",
        "action",
        "is_enquiry",
        "answer",
        "detail",
        "milliseconds",
    )
    list_filter = ("answer", "action", "is_enquiry", "gateway", "asked_at")
    search_fields = ("=subject",)
