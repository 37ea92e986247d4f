"""/disputes and /disputes/{id}"""

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from payments.api.authentication import HasScope, caller_of
from payments.api.conventions import AmountText, CurrencyField
from payments.api.pages import PAGE_PARAMETERS, page_of
from payments.api.parameters import choice_of
from payments.models import Dispute
from payments.representations import represent_dispute
from payments.selectors import dispute_of, disputes_of


class DisputeOutput(serializers.Serializer):
    """A contested payment. Amounts are text in major units."""

    id = serializers.CharField()
    payment_id = serializers.CharField()
    status = serializers.ChoiceField(Dispute.Status.choices)
    amount = AmountText()
    currency = CurrencyField()
    fee = AmountText()
    reference = serializers.CharField(help_text="The processor's name for it.")
    effective_at = serializers.DateTimeField(help_text="When the money was pulled back.")
    created_at = serializers.DateTimeField()


class DisputePage(serializers.Serializer):
    results = DisputeOutput(many=True)
    next_cursor = serializers.CharField(allow_null=True)
    has_more = serializers.BooleanField()


class Disputes(APIView):
    """The merchant's disputes."""

    permission_classes = [HasScope]

    @extend_schema(
        operation_id="list_disputes",
        parameters=[
            *PAGE_PARAMETERS,
            OpenApiParameter("status", str, enum=Dispute.Status.values),
            OpenApiParameter("payment", str, description="Id of the payment they are about."),
        ],
        responses=DisputePage,
    )
    def get(self, request: Request) -> Response:
        rows = disputes_of(caller_of(request).merchant)
        if status := choice_of(request, "status", Dispute.Status.values):
            rows = rows.filter(status=status)
        if (payment := request.query_params.get("payment")) is not None:
            rows = rows.filter(payment__public_id=payment)
        return page_of(rows, request, represent_dispute, filters={"status", "payment"})


class DisputeDetail(APIView):
    """One dispute."""

    permission_classes = [HasScope]

    @extend_schema(operation_id="get_dispute", responses=DisputeOutput)
    def get(self, request: Request, dispute_id: str) -> Response:
        return Response(represent_dispute(dispute_of(caller_of(request).merchant, dispute_id)))
