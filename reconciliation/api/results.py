"""/reconciliation and /discrepancies: what processors reported about a merchant's payments."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from ledger.money import Money
from payments.api.authentication import HasScope, caller_of
from payments.api.conventions import AmountText, CurrencyField
from payments.api.pages import PAGE_PARAMETERS, page_of
from payments.api.parameters import choice_of
from payments.models import ApiKey, Payment
from reconciliation.models import Discrepancy, ReconciliationRun
from reconciliation.selectors import ResultStatus, discrepancies_of, results_of, run_of


class ResultOutput(serializers.Serializer):
    """A succeeded payment and what its processor says of it. Amounts are text in major units."""

    payment_id = serializers.CharField()
    reference = serializers.CharField()
    amount = AmountText()
    currency = CurrencyField()
    status = serializers.ChoiceField(ResultStatus.choices)
    rule = serializers.CharField(allow_null=True, help_text="By which rule it was matched.")
    run_id = serializers.CharField(allow_null=True, help_text="In which run.")
    settlement_due_on = serializers.DateField(allow_null=True)


class ResultPage(serializers.Serializer):
    results = ResultOutput(many=True)
    next_cursor = serializers.CharField(allow_null=True)
    has_more = serializers.BooleanField()


class DiscrepancyOutput(serializers.Serializer):
    """One difference between our books and a report. Amounts are text in major units."""

    id = serializers.CharField()
    type = serializers.ChoiceField(Discrepancy.Type.choices)
    status = serializers.ChoiceField(Discrepancy.Status.choices)
    payment_id = serializers.CharField(allow_null=True)
    refund_id = serializers.CharField(allow_null=True)
    reference = serializers.CharField()
    amount = AmountText(help_text="Money at stake.")
    currency = CurrencyField()
    since = serializers.DateField()
    opened_at = serializers.DateTimeField()
    resolved_at = serializers.DateTimeField(allow_null=True)


class DiscrepancyPage(serializers.Serializer):
    results = DiscrepancyOutput(many=True)
    next_cursor = serializers.CharField(allow_null=True)
    has_more = serializers.BooleanField()


class RunOutput(serializers.Serializer):
    """A run of the matching rules, as far as it is about the merchant."""

    id = serializers.CharField()
    as_of = serializers.DateField()
    started_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)
    match_count = serializers.IntegerField(help_text="Of the merchant's payments and refunds.")
    discrepancy_count = serializers.IntegerField(help_text="Opened about them.")


def represent_result(payment: Payment) -> dict[str, Any]:
    match = getattr(payment, "match", None)
    return {
        "payment_id": payment.public_id,
        "reference": payment.reference,
        "amount": payment.captured_money.text,
        "currency": payment.currency,
        "status": payment.result_status,  # type: ignore[attr-defined]
        "rule": match and match.rule,
        "run_id": match and match.run.public_id,
        "settlement_due_on": payment.settlement_due_on,
    }


def represent_discrepancy(discrepancy: Discrepancy) -> dict[str, Any]:
    return {
        "id": discrepancy.public_id,
        "type": discrepancy.type,
        "status": discrepancy.status,
        "payment_id": discrepancy.payment and discrepancy.payment.public_id,
        "refund_id": discrepancy.refund and discrepancy.refund.public_id,
        "reference": discrepancy.reference,
        "amount": Money(discrepancy.amount, discrepancy.currency).text,
        "currency": discrepancy.currency,
        "since": discrepancy.since,
        "opened_at": discrepancy.opened_at,
        "resolved_at": discrepancy.resolved_at,
    }


def represent_run(run: ReconciliationRun) -> dict[str, Any]:
    return {
        "id": run.public_id,
        "as_of": run.as_of,
        "started_at": run.started_at,
        "finished_at": run.finished_at,
        "match_count": run.own_matches,  # type: ignore[attr-defined]
        "discrepancy_count": run.own_discrepancies,  # type: ignore[attr-defined]
    }


class Results(APIView):
    """The merchant's succeeded payments, each with what became of it at its processor."""

    permission_classes = [HasScope]
    scopes = {"GET": ApiKey.Scope.REPORTS_READ}

    @extend_schema(
        operation_id="list_reconciliation_results",
        parameters=[*PAGE_PARAMETERS, OpenApiParameter("status", str, enum=ResultStatus.values)],
        responses=ResultPage,
    )
    def get(self, request: Request) -> Response:
        rows: QuerySet[Any] = results_of(caller_of(request).merchant)
        if status := choice_of(request, "status", ResultStatus.values):
            rows = rows.filter(result_status=status)
        return page_of(rows, request, represent_result, filters={"status"})


class RunDetail(APIView):
    """One run, with the merchant's share of it."""

    permission_classes = [HasScope]
    scopes = {"GET": ApiKey.Scope.REPORTS_READ}

    @extend_schema(operation_id="get_reconciliation_run", responses=RunOutput)
    def get(self, request: Request, run_id: str) -> Response:
        return Response(represent_run(run_of(caller_of(request).merchant, run_id)))


class Discrepancies(APIView):
    """Differences about the merchant's payments and refunds."""

    permission_classes = [HasScope]
    scopes = {"GET": ApiKey.Scope.REPORTS_READ}

    @extend_schema(
        operation_id="list_discrepancies",
        parameters=[
            *PAGE_PARAMETERS,
            OpenApiParameter("status", str, enum=Discrepancy.Status.values),
            OpenApiParameter("type", str, enum=Discrepancy.Type.values),
        ],
        responses=DiscrepancyPage,
    )
    def get(self, request: Request) -> Response:
        rows = discrepancies_of(caller_of(request).merchant)
        if status := choice_of(request, "status", Discrepancy.Status.values):
            rows = rows.filter(status=status)
        if kind := choice_of(request, "type", Discrepancy.Type.values):
            rows = rows.filter(type=kind)
        return page_of(rows, request, represent_discrepancy, filters={"status", "type"})
