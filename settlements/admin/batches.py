"""Settlement batches and their lines."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from ledger.admin import ReadOnlyAdmin
from ledger.admin.base import detail_action
from ledger.money import Money
from payments.admin.watched import Watched
from settlements.models import Settlement, SettlementBatch
from settlements.progress import settlement_under_way
from settlements.statement_files import CONTENT_TYPES, file_name, rendered
from settlements.statements import settlement_statement


@admin.register(SettlementBatch)
class SettlementBatchAdmin(ReadOnlyAdmin):
    list_display = (
        "public_id",
        "merchant",
        "period",
        "line_count",
        "net_money",
        "payout_money",
        "status",
    )
    list_filter = ("status", "currency", "period")
    list_select_related = ("merchant",)
    search_fields = ("public_id", "merchant__code")
    list_before_template = "admin/progress_before_list.html"
    change_list_template = "admin/progress_list.html"
    actions_detail = ("statement_csv", "statement_xlsx", "statement_html")

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.watch)
        name = "settlements_settlementbatch_watch"
        return [path("watch/", view, name=name), *super().get_urls()]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> TemplateResponse:
        watched = self._watched()
        shown = {"watched": watched} if watched.is_running else {}
        return super().changelist_view(request, {**(extra_context or {}), **shown})

    def watch(self, request: HttpRequest) -> HttpResponse:
        """How far the run is that is under way, alone: what the list asks for until it is over."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        return TemplateResponse(request, "admin/progress.html", {"watched": self._watched()})

    def _watched(self) -> Watched:
        """Its batches can only be seen when it is over, all at once."""
        found = settlement_under_way()
        over = "It ended: reload the list for what it closed, which is all of it or nothing."
        return Watched(
            title="Settlement run",
            state="under way" if found else "over",
            said=found.said if found else over,
            url=reverse(f"{self.admin_site.name}:settlements_settlementbatch_watch"),
            is_running=found is not None,
            percent=found.percent if found else None,
            tone="warn" if found else "",
        )

    @admin.display(description="net")
    def net_money(self, batch: SettlementBatch) -> Money:
        return Money(batch.net, batch.currency)

    @detail_action("Statement (CSV)", permission="view")
    def statement_csv(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._statement(request, object_id, "csv")

    @detail_action("Statement (XLSX)", permission="view")
    def statement_xlsx(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._statement(request, object_id, "xlsx")

    @detail_action("Statement (HTML)", permission="view")
    def statement_html(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._statement(request, object_id, "html")

    def _statement(self, request: HttpRequest, object_id: str, format: str) -> HttpResponse:
        batch = self.get_object(request, object_id)
        if batch is None:
            raise Http404
        return HttpResponse(
            rendered(settlement_statement(batch), format),
            content_type=CONTENT_TYPES[format],
            headers={"Content-Disposition": f'attachment; filename="{file_name(batch, format)}"'},
        )


@admin.register(Settlement)
class SettlementAdmin(ReadOnlyAdmin):
    list_display = ("__str__", "batch", "merchant", "gross_money", "fee_money", "net_money")
    list_filter = ("batch__period", "batch__currency")
    list_select_related = (
        "batch__merchant",
        "payment",
        "refund",
        "dispute",
        "won_dispute",
        "reserve_held__merchant",
        "reserve_released__merchant",
        "adjustment",
        "canceled_payout",
    )
    search_fields = (
        "batch__public_id",
        "payment__public_id",
        "refund__public_id",
        "dispute__public_id",
    )

    @admin.display(ordering="batch__merchant")
    def merchant(self, line: Settlement) -> str:
        return line.batch.merchant.code

    @admin.display(description="gross", ordering="gross")
    def gross_money(self, line: Settlement) -> Money:
        return Money(line.gross, line.batch.currency)

    @admin.display(description="fee", ordering="fee")
    def fee_money(self, line: Settlement) -> Money:
        return Money(line.fee, line.batch.currency)

    @admin.display(description="net", ordering="net")
    def net_money(self, line: Settlement) -> Money:
        return Money(line.net, line.batch.currency)
