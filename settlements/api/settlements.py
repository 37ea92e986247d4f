"""/settlements and /payouts: what a merchant was settled and paid. Read only."""

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from payments.api.authentication import HasScope, caller_of
from payments.api.conventions import AmountText, CurrencyField
from payments.api.pages import PAGE_PARAMETERS, page_of
from payments.api.parameters import choice_of
from payments.models import ApiKey
from settlements.models import Payout, SettlementBatch
from settlements.representations import represent_batch, represent_line, represent_payout
from settlements.selectors import batch_of, batches_of, lines_of, payout_of, payouts_of
from settlements.statements import SECTIONS


class SettlementOutput(serializers.Serializer):
    """What one business day earned in one currency. Amounts are text in major units."""

    id = serializers.CharField()
    status = serializers.ChoiceField(SettlementBatch.Status.choices)
    currency = CurrencyField()
    period = serializers.DateField(help_text="The business day, in the merchant's zone.")
    line_count = serializers.IntegerField()
    gross = AmountText()
    fee = AmountText()
    net = AmountText()
    carried_in = AmountText(help_text="Left over by the batch before.")
    payout_amount = AmountText()
    payout_id = serializers.CharField(allow_null=True)
    created_at = serializers.DateTimeField()


class SettlementLineOutput(serializers.Serializer):
    """One thing in its batch; of the ids, the one of what it is about is there."""

    kind = serializers.ChoiceField(list(SECTIONS))
    payment_id = serializers.CharField(allow_null=True)
    refund_id = serializers.CharField(allow_null=True)
    dispute_id = serializers.CharField(allow_null=True)
    adjustment_id = serializers.CharField(allow_null=True)
    canceled_payout_id = serializers.CharField(allow_null=True)
    gross = AmountText()
    fee = AmountText()
    net = AmountText()


class PayoutOutput(serializers.Serializer):
    """Money on its way to the merchant's bank. Amounts are text in major units."""

    id = serializers.CharField()
    settlement_id = serializers.CharField()
    status = serializers.ChoiceField(Payout.Status.choices)
    amount = AmountText()
    currency = CurrencyField()
    bank_account = serializers.CharField(
        allow_null=True, help_text="Country and last four characters of its IBAN, once it is sent."
    )
    created_at = serializers.DateTimeField()
    sent_at = serializers.DateTimeField(allow_null=True)
    paid_on = serializers.DateField(allow_null=True)
    returned_on = serializers.DateField(allow_null=True)
    failure_code = serializers.CharField(
        help_text="The bank's reason, an ISO 20022 code; empty unless it refused or returned it."
    )
    failure_reason = serializers.CharField()


class SettlementPage(serializers.Serializer):
    results = SettlementOutput(many=True)
    next_cursor = serializers.CharField(allow_null=True)
    has_more = serializers.BooleanField()


class SettlementLinePage(serializers.Serializer):
    results = SettlementLineOutput(many=True)
    next_cursor = serializers.CharField(allow_null=True)
    has_more = serializers.BooleanField()


class PayoutPage(serializers.Serializer):
    results = PayoutOutput(many=True)
    next_cursor = serializers.CharField(allow_null=True)
    has_more = serializers.BooleanField()


class Settlements(APIView):
    """The merchant's settlement batches."""

    permission_classes = [HasScope]
    scopes = {"GET": ApiKey.Scope.REPORTS_READ}

    @extend_schema(
        operation_id="list_settlements",
        parameters=[
            *PAGE_PARAMETERS,
            OpenApiParameter("status", str, enum=SettlementBatch.Status.values),
        ],
        responses=SettlementPage,
    )
    def get(self, request: Request) -> Response:
        rows = batches_of(caller_of(request).merchant)
        if status := choice_of(request, "status", SettlementBatch.Status.values):
            rows = rows.filter(status=status)
        return page_of(rows, request, represent_batch, filters={"status"})


class SettlementDetail(APIView):
    """One batch."""

    permission_classes = [HasScope]
    scopes = {"GET": ApiKey.Scope.REPORTS_READ}

    @extend_schema(operation_id="get_settlement", responses=SettlementOutput)
    def get(self, request: Request, settlement_id: str) -> Response:
        return Response(represent_batch(batch_of(caller_of(request).merchant, settlement_id)))


class SettlementLines(APIView):
    """What a batch is made of."""

    permission_classes = [HasScope]
    scopes = {"GET": ApiKey.Scope.REPORTS_READ}

    @extend_schema(
        operation_id="list_settlement_lines",
        parameters=PAGE_PARAMETERS,
        responses=SettlementLinePage,
    )
    def get(self, request: Request, settlement_id: str) -> Response:
        batch = batch_of(caller_of(request).merchant, settlement_id)
        return page_of(lines_of(batch), request, represent_line)


class Payouts(APIView):
    """The merchant's payouts."""

    permission_classes = [HasScope]
    scopes = {"GET": ApiKey.Scope.REPORTS_READ}

    @extend_schema(
        operation_id="list_payouts",
        parameters=[*PAGE_PARAMETERS, OpenApiParameter("status", str, enum=Payout.Status.values)],
        responses=PayoutPage,
    )
    def get(self, request: Request) -> Response:
        rows = payouts_of(caller_of(request).merchant)
        if status := choice_of(request, "status", Payout.Status.values):
            rows = rows.filter(status=status)
        return page_of(rows, request, represent_payout, filters={"status"})


class PayoutDetail(APIView):
    """One payout."""

    permission_classes = [HasScope]
    scopes = {"GET": ApiKey.Scope.REPORTS_READ}

    @extend_schema(operation_id="get_payout", responses=PayoutOutput)
    def get(self, request: Request, payout_id: str) -> Response:
        return Response(represent_payout(payout_of(caller_of(request).merchant, payout_id)))
