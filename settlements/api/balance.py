"""/balance and /dashboard: how a merchant stands."""

from datetime import timedelta
from typing import Any

from django.db.models import Count
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from payments.api.authentication import HasScope, caller_of
from payments.api.conventions import AmountText, CurrencyField
from payments.api.merchants import MerchantOutput, represent_merchant
from payments.api.payment_shapes import PaymentOutput
from payments.models import ApiKey, Merchant, Payment
from payments.representations import represent_payment
from payments.selectors import payments_of
from settlements.selectors import MerchantBalance, balances_of

RECENT_PAYMENTS = 10
COUNTED_DAYS = 30


class MerchantBalanceOutput(serializers.Serializer):
    """Text in major units."""

    currency = CurrencyField()
    available = AmountText(help_text="Earned and in no payout yet; may be negative.")
    pending = AmountText(help_text="Gross amount of payments without an outcome yet.")
    reserve = AmountText(help_text="Kept back for a while.")
    in_transit = AmountText(help_text="On its way to the merchant's bank.")


class BalanceOutput(serializers.Serializer):
    balances = MerchantBalanceOutput(many=True)
    as_of = serializers.DateTimeField()


class DashboardOutput(serializers.Serializer):
    merchant = MerchantOutput()
    balances = MerchantBalanceOutput(many=True)
    recent_payments = PaymentOutput(many=True)
    payments_by_status = serializers.DictField(
        child=serializers.IntegerField(), help_text=f"Of the last {COUNTED_DAYS} days."
    )
    as_of = serializers.DateTimeField()


def represent_balance(balance: MerchantBalance) -> dict[str, str]:
    return {
        "currency": balance.available.currency,
        "available": balance.available.text,
        "pending": balance.pending.text,
        "reserve": balance.reserve.text,
        "in_transit": balance.in_transit.text,
    }


def _counts(merchant: Merchant) -> dict[str, int]:
    since = timezone.now() - timedelta(days=COUNTED_DAYS)
    rows = Payment.objects.filter(merchant=merchant, created_at__gte=since)
    counts = dict(rows.order_by().values_list("status").annotate(Count("id")))
    return {status: counts.get(status, 0) for status in Payment.Status.values}


class Balance(APIView):
    """The merchant's money per currency."""

    permission_classes = [HasScope]
    scopes = {"GET": ApiKey.Scope.ACCOUNTS_READ}

    @extend_schema(operation_id="get_balance", responses=BalanceOutput)
    def get(self, request: Request) -> Response:
        balances = balances_of(caller_of(request).merchant)
        return Response(
            {
                "balances": [represent_balance(balance) for balance in balances],
                "as_of": timezone.now(),
            }
        )


class Dashboard(APIView):
    """Balances, the newest payments, and how many payments are in which state."""

    permission_classes = [HasScope]
    scopes = {"GET": ApiKey.Scope.REPORTS_READ}

    @extend_schema(operation_id="get_dashboard", responses=DashboardOutput)
    def get(self, request: Request) -> Response:
        merchant = caller_of(request).merchant
        recent = payments_of(merchant)[:RECENT_PAYMENTS]
        answer: dict[str, Any] = {
            "merchant": represent_merchant(merchant),
            "balances": [represent_balance(balance) for balance in balances_of(merchant)],
            "recent_payments": [represent_payment(payment) for payment in recent],
            "payments_by_status": _counts(merchant),
            "as_of": timezone.now(),
        }
        return Response(answer)
