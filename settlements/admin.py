"""Back-office screens of settlements."""

from django.contrib import admin

from ledger.admin import ReadOnlyAdmin
from ledger.money import Money
from settlements.models import Payout, Settlement, SettlementBatch, SimulatedBankEntry


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

    @admin.display(description="net")
    def net_money(self, batch: SettlementBatch) -> Money:
        return Money(batch.net, batch.currency)


@admin.register(Settlement)
class SettlementAdmin(ReadOnlyAdmin):
    list_display = ("__str__", "batch", "merchant", "gross_money", "fee_money", "net_money")
    list_filter = ("batch__period", "batch__currency")
    list_select_related = ("batch__merchant", "payment", "refund", "dispute")
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


@admin.register(Payout)
class PayoutAdmin(ReadOnlyAdmin):
    list_display = (
        "public_id",
        "merchant",
        "money",
        "status",
        "requested_by",
        "approved_by",
        "sent_at",
        "paid_on",
    )
    list_filter = ("status", "currency")
    list_select_related = ("merchant",)
    search_fields = ("public_id", "merchant__code", "batch__public_id")


@admin.register(SimulatedBankEntry)
class SimulatedBankEntryAdmin(ReadOnlyAdmin):
    list_display = ("name", "account", "money", "booked_on", "counterparty", "text", "stated_on")
    list_filter = ("currency", "booked_on")
    search_fields = ("end_to_end_id", "counterparty", "text")
