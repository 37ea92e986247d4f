"""/reconciliation and /discrepancies: what processors reported about a merchant's payments."""

from datetime import date
from functools import partial
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
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
from reconciliation.discrepancy_guide import (
    AGE_BUCKETS,
    age_bucket,
    age_days,
    suggested_action,
)
from reconciliation.models import Discrepancy, ReconciliationRun
from reconciliation.open_amounts import open_amounts
from reconciliation.representations import (
    represent_discrepancy,
    represent_run,
    represent_run_summary,
)
from reconciliation.results import (
    ResultStatus,
    discrepancies_of,
    discrepancy_of,
    results_of,
    run_of,
    runs_of,
)
from reconciliation.selectors import latest_day


class ResultOutput(serializers.Serializer):
    """A payment and what its processor says of it. Amounts are text in major units."""

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


class ActionOutput(serializers.Serializer):
    """What the platform does about it first."""

    code = serializers.CharField()
    text = serializers.CharField()


class OpenAmountOutput(serializers.Serializer):
    """Our books less the report, for what the discrepancy is about."""

    amount = AmountText()
    currency = CurrencyField()


class DiscrepancyOutput(serializers.Serializer):
    """One difference between our books and a report. Amounts are text in major units."""

    id = serializers.CharField()
    type = serializers.ChoiceField(Discrepancy.Type.choices)
    status = serializers.ChoiceField(Discrepancy.Status.choices)
    payment_id = serializers.CharField(allow_null=True)
    refund_id = serializers.CharField(allow_null=True)
    dispute_id = serializers.CharField(allow_null=True)
    reference = serializers.CharField()
    amount = AmountText(help_text="Money at stake.")
    currency = CurrencyField()
    expected = serializers.CharField(help_text="What we know; empty: nothing.")
    actual = serializers.CharField(help_text="What the report says; empty: nothing.")
    since = serializers.DateField(help_text="From when it is counted as open.")
    opened_at = serializers.DateTimeField()
    resolved_at = serializers.DateTimeField(allow_null=True)


class AgedDiscrepancyOutput(DiscrepancyOutput):
    """One difference, how old it is by the latest statement, and what is done about it first."""

    age_days = serializers.IntegerField(help_text="Since what it is about happened.")
    age_bucket = serializers.ChoiceField(AGE_BUCKETS, help_text="The same in days from - to.")
    action = ActionOutput()


class DiscrepancyDetailOutput(AgedDiscrepancyOutput):
    """One difference, and by how much it keeps our books and the report apart."""

    open_amounts = OpenAmountOutput(
        many=True, help_text="By currency; none: what was reported is in the books as reported."
    )


class DiscrepancyPage(serializers.Serializer):
    results = AgedDiscrepancyOutput(many=True)
    next_cursor = serializers.CharField(allow_null=True)
    has_more = serializers.BooleanField()


class RunSummary(serializers.Serializer):
    """A run of the matching rules that was about the merchant."""

    id = serializers.CharField()
    trigger = serializers.ChoiceField(
        ReconciliationRun.Trigger.choices,
        help_text="All of it, what had just come, or one pair that a person saw to.",
    )
    as_of = serializers.DateField()
    started_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)


class RunPage(serializers.Serializer):
    results = RunSummary(many=True)
    next_cursor = serializers.CharField(allow_null=True)
    has_more = serializers.BooleanField()


class RunOutput(RunSummary):
    """A run of the matching rules, as far as it is about the merchant."""

    match_count = serializers.IntegerField(help_text="Of the merchant's payments and refunds.")
    discrepancy_count = serializers.IntegerField(help_text="Opened about them.")


def represent_result(payment: Payment) -> dict[str, Any]:
    match = getattr(payment, "match", None)
    return {
        "payment_id": payment.public_id,
        "reference": payment.reference,
        "amount": _reported_on(payment).text,
        "currency": payment.currency,
        "status": payment.result_status,  # type: ignore[attr-defined]
        "rule": match and match.rule,
        "run_id": match and match.run.public_id,
        "settlement_due_on": payment.settlement_due_on,
    }


def _reported_on(payment: Payment) -> Money:
    is_paid = payment.status == Payment.Status.SUCCEEDED
    return payment.captured_money if is_paid else payment.money


def represent_aged(discrepancy: Discrepancy, *, as_of: date) -> dict[str, Any]:
    age, action = age_days(discrepancy, as_of=as_of), suggested_action(discrepancy)
    return {
        **represent_discrepancy(discrepancy),
        "age_days": age,
        "age_bucket": age_bucket(age),
        "action": {"code": action.code, "text": action.text},
    }


def _today() -> date:
    """The day that ages are counted to: the latest one that a statement covers."""
    return latest_day() or timezone.now().date()


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


class Runs(APIView):
    """Runs that matched or opened something of the merchant's."""

    permission_classes = [HasScope]
    scopes = {"GET": ApiKey.Scope.REPORTS_READ}

    @extend_schema(
        operation_id="list_reconciliation_runs", parameters=PAGE_PARAMETERS, responses=RunPage
    )
    def get(self, request: Request) -> Response:
        return page_of(runs_of(caller_of(request).merchant), request, represent_run_summary)


class RunDetail(APIView):
    """One run, with the merchant's share of it."""

    permission_classes = [HasScope]
    scopes = {"GET": ApiKey.Scope.REPORTS_READ}

    @extend_schema(operation_id="get_reconciliation_run", responses=RunOutput)
    def get(self, request: Request, run_id: str) -> Response:
        run = run_of(caller_of(request).merchant, run_id)
        matches, opened = run.own_matches, run.own_discrepancies  # type: ignore[attr-defined]
        return Response(represent_run(run, match_count=matches, discrepancy_count=opened))


class Discrepancies(APIView):
    """Differences about the merchant's payments, refunds and disputes."""

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
        represent = partial(represent_aged, as_of=_today())
        return page_of(rows, request, represent, filters={"status", "type"})


class DiscrepancyDetail(APIView):
    """One difference about the merchant's payments, refunds and disputes."""

    permission_classes = [HasScope]
    scopes = {"GET": ApiKey.Scope.REPORTS_READ}

    @extend_schema(operation_id="get_discrepancy", responses=DiscrepancyDetailOutput)
    def get(self, request: Request, discrepancy_id: str) -> Response:
        found = discrepancy_of(caller_of(request).merchant, discrepancy_id)
        effects = [each.effect for each in open_amounts(found)]
        return Response(
            {
                **represent_aged(found, as_of=_today()),
                "open_amounts": [
                    {"amount": effect.text, "currency": effect.currency} for effect in effects
                ],
            }
        )
