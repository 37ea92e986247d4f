"""Proofs: of one account over a period, and of one transaction."""

from datetime import date
from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from ledger.money import Money
from payments.api.authentication import HasScope, caller_of
from payments.api.conventions import AmountText, CurrencyField, StrictSerializer
from payments.api.pages import PAGE_PARAMETERS, page_of
from payments.api.parameters import refuse_others
from payments.models import AccountReport, ApiKey, Merchant
from payments.selectors import transfer_of, wallet_of
from payments.services.account_reports import (
    ReportPeriod,
    TransferProof,
    prove_account,
    prove_transfer,
    transfer_difference,
)

# As the parser spells them in bodies; in queries both are taken.
PERIOD_PARAMETERS = {"startDate": "start_date", "endDate": "end_date"}


class PeriodInput(StrictSerializer):
    """Whole days by the merchant's clock, both included."""

    start_date = serializers.DateField(input_formats=["%Y-%m-%d"])
    end_date = serializers.DateField(input_formats=["%Y-%m-%d"])


class PeriodOutput(serializers.Serializer):
    start = serializers.DateField()
    end = serializers.DateField()


class ReportFinding(serializers.Serializer):
    """Something that does not fit; what else it has depends on its type."""

    type = serializers.ChoiceField(
        ["MISSING_LEDGER_ENTRY", "AMOUNT_MISMATCH", "ORPHAN_LEDGER_ENTRY", "BALANCE_MISMATCH"]
    )
    severity = serializers.ChoiceField(["HIGH", "CRITICAL"])
    transaction_id = serializers.CharField(required=False)
    journal_entry_id = serializers.CharField(required=False)
    amount = AmountText(required=False)
    expected = AmountText(required=False)
    actual = AmountText(required=False)


class AccountReportOutput(serializers.Serializer):
    """The proof of an account as it was found; `balanced` if nothing was wrong."""

    report_id = serializers.CharField()
    account_id = serializers.CharField()
    period = PeriodOutput()
    balanced = serializers.BooleanField()
    transaction_count = serializers.IntegerField()
    discrepancy_count = serializers.IntegerField()
    expected_balance = AmountText(help_text="Opening balance and the period's postings.")
    actual_balance = AmountText(help_text="The closing balance the ledger keeps.")
    discrepancies = ReportFinding(many=True)
    created_by = serializers.CharField()
    created_at = serializers.DateTimeField()


class AccountReportPage(serializers.Serializer):
    results = AccountReportOutput(many=True)
    next_cursor = serializers.CharField(allow_null=True)
    has_more = serializers.BooleanField()


class DifferenceOutput(serializers.Serializer):
    """What the period's transactions changed on the account, by the ledger and by themselves."""

    account_id = serializers.CharField()
    period = PeriodOutput()
    currency = CurrencyField()
    ledger_balance = AmountText()
    transaction_balance = AmountText()
    difference = AmountText()


class PostingOutput(serializers.Serializer):
    account_id = serializers.CharField()
    direction = serializers.ChoiceField(["debit", "credit"])
    amount = AmountText()


class EntryOutput(serializers.Serializer):
    id = serializers.CharField()
    kind = serializers.CharField()
    effective_at = serializers.DateTimeField()
    posted_at = serializers.DateTimeField()
    postings = PostingOutput(many=True)


class DoubleEntryOutput(serializers.Serializer):
    """The journal about a transaction; balanced too while nothing is to be posted yet."""

    transaction_id = serializers.CharField()
    status = serializers.CharField()
    balanced = serializers.BooleanField()
    debits = AmountText()
    credits = AmountText()
    entries = EntryOutput(many=True)


def represent_report(report: AccountReport) -> dict[str, Any]:
    currency = report.account.currency
    return {
        "report_id": report.public_id,
        "account_id": report.account.public_id,
        "period": {"start": report.starts_on, "end": report.ends_on},
        "balanced": report.is_balanced,
        "transaction_count": report.transaction_count,
        "discrepancy_count": len(report.discrepancies),
        "expected_balance": Money(report.expected_balance, currency).text,
        "actual_balance": Money(report.actual_balance, currency).text,
        "discrepancies": report.discrepancies,
        "created_by": report.created_by,
        "created_at": report.created_at,
    }


def represent_proof(proof: TransferProof) -> dict[str, Any]:
    return {
        "transaction_id": proof.transfer.public_id,
        "status": proof.transfer.status,
        "balanced": proof.is_balanced,
        "debits": proof.debits.text,
        "credits": proof.credits.text,
        "entries": [
            {
                "id": entry.public_id,
                "kind": entry.kind,
                "effective_at": entry.effective_at,
                "posted_at": entry.posted_at,
                "postings": [
                    {
                        "account_id": posting.account.public_id,
                        "direction": posting.direction,
                        "amount": posting.money.text,
                    }
                    for posting in postings
                ],
            }
            for entry, postings in proof.entries
        ],
    }


def read_period(merchant: Merchant, data: Any) -> ReportPeriod:
    """Raises DRF's ValidationError and InvalidReportPeriod."""
    asked = PeriodInput(data=data)
    asked.is_valid(raise_exception=True)
    days = asked.validated_data
    return ReportPeriod(merchant, days["start_date"], days["end_date"])


class AccountProofs(APIView):
    """Prove an account over a period (201); the report is kept."""

    permission_classes = [HasScope]
    scopes = {"POST": ApiKey.Scope.ACCOUNTS_WRITE}

    @extend_schema(
        operation_id="reconcile_account",
        request=PeriodInput,
        responses={201: AccountReportOutput},
    )
    def post(self, request: Request, account_id: str) -> Response:
        caller = caller_of(request)
        account = wallet_of(caller.merchant, account_id)
        period = read_period(caller.merchant, request.data)
        report = prove_account(account, period, actor=caller.actor)
        return Response(represent_report(report), status=201)


class AccountReports(APIView):
    """The proofs of an account so far, newest first."""

    permission_classes = [HasScope]
    scopes = {"GET": ApiKey.Scope.ACCOUNTS_READ}

    @extend_schema(
        operation_id="list_account_reports",
        parameters=PAGE_PARAMETERS,
        responses=AccountReportPage,
    )
    def get(self, request: Request, account_id: str) -> Response:
        account = wallet_of(caller_of(request).merchant, account_id)
        rows = account.reports.select_related("account").order_by("-id")
        return page_of(rows, request, represent_report)


class AccountDifference(APIView):
    """What a period's transactions come to, by the ledger and by their own rows."""

    permission_classes = [HasScope]
    scopes = {"GET": ApiKey.Scope.ACCOUNTS_READ}

    @extend_schema(
        operation_id="get_reconciliation_difference",
        parameters=[OpenApiParameter(name, date, required=True) for name in PERIOD_PARAMETERS],
        responses=DifferenceOutput,
    )
    def get(self, request: Request, account_id: str) -> Response:
        merchant = caller_of(request).merchant
        refuse_others(request, {*PERIOD_PARAMETERS, *PERIOD_PARAMETERS.values()})
        account = wallet_of(merchant, account_id)
        sent = {
            PERIOD_PARAMETERS.get(name, name): value for name, value in request.query_params.items()
        }
        period = read_period(merchant, sent)
        found = transfer_difference(account, period)
        return Response(
            {
                "account_id": account.public_id,
                "period": {"start": period.starts_on, "end": period.ends_on},
                "currency": account.currency,
                "ledger_balance": found.ledger_balance.text,
                "transaction_balance": found.transaction_balance.text,
                "difference": found.difference.text,
            }
        )


class TransactionProof(APIView):
    """Debits and credits of a transaction, from the postings themselves."""

    permission_classes = [HasScope]
    scopes = {"GET": ApiKey.Scope.ACCOUNTS_READ, "POST": ApiKey.Scope.ACCOUNTS_READ}

    @extend_schema(operation_id="get_double_entry", responses=DoubleEntryOutput)
    def get(self, request: Request, transaction_id: str) -> Response:
        transfer = transfer_of(caller_of(request).merchant, transaction_id)
        return Response(represent_proof(prove_transfer(transfer)))

    @extend_schema(operation_id="verify_double_entry", request=None, responses=DoubleEntryOutput)
    def post(self, request: Request, transaction_id: str) -> Response:
        """The same as GET."""
        return self.get(request, transaction_id)
