"""/transactions: transfers between two accounts of a merchant."""

from datetime import timedelta
from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.http import HttpResponse
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from payments import doorbell
from payments.api.authentication import HasScope, caller_of
from payments.api.conventions import (
    AmountField,
    AmountText,
    CurrencyField,
    MetadataField,
    StrictSerializer,
    read_money,
    render_json,
)
from payments.api.idempotency import KEY_HEADER, Done, idempotency_key, once
from payments.api.pages import PAGE_PARAMETERS, page_of
from payments.api.parameters import choice_of
from payments.models import ApiKey, Transfer
from payments.representations import represent_transfer
from payments.selectors import transfer_by_key, transfer_of, transfers_of, wallet_of
from payments.services.transfers import TransferWish, create_transfer, refund_transfer

SCOPES = {"GET": ApiKey.Scope.ACCOUNTS_READ, "POST": ApiKey.Scope.ACCOUNTS_WRITE}


class TransferInput(StrictSerializer):
    """From where to where, and how much, in the currency of both accounts."""

    source_account_id = serializers.CharField(max_length=120, help_text="Its id or code.")
    destination_account_id = serializers.CharField(max_length=120, help_text="Its id or code.")
    amount = AmountField(help_text='Major units, e.g. "100.00".')
    metadata = MetadataField(default=dict)


class TransactionInput(StrictSerializer):
    """A transfer; its idempotency key may also be in the header."""

    transaction = TransferInput()
    idempotency_key = serializers.CharField(max_length=257, required=False)


class TransactionRefundInput(StrictSerializer):
    """What goes back; without an amount, all that is left."""

    amount = AmountField(required=False)
    reason = serializers.CharField(max_length=255, default="", allow_blank=True)


class TransactionOutput(serializers.Serializer):
    """A transfer as the API shows it. Amounts are text in major units."""

    id = serializers.CharField()
    status = serializers.ChoiceField(Transfer.Status.choices)
    source_account_id = serializers.CharField()
    destination_account_id = serializers.CharField()
    amount = AmountText()
    currency = CurrencyField()
    amount_refunded = AmountText(help_text="What went back or is going back.")
    refund_of = serializers.CharField(allow_null=True, help_text="The transaction it refunds.")
    reason = serializers.CharField(allow_null=True)
    metadata = MetadataField()
    journal_entry_id = serializers.CharField(allow_null=True)
    failure_code = serializers.CharField(allow_null=True)
    failure_reason = serializers.CharField(allow_null=True)
    created_by = serializers.CharField()
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class TransactionPage(serializers.Serializer):
    results = TransactionOutput(many=True)
    next_cursor = serializers.CharField(allow_null=True)
    has_more = serializers.BooleanField()


class TransactionAccepted(serializers.Serializer):
    """The transfer is written down; `poll_url` says what became of it."""

    status = serializers.ChoiceField(["ACCEPTED"])
    transaction_id = serializers.CharField()
    idempotency_key = serializers.CharField()
    message_id = serializers.CharField(help_text="The transaction's id: its row is the message.")
    poll_url = serializers.CharField()
    expires_at = serializers.DateTimeField(
        help_text="Until then the same request is answered alike; its key makes nothing new ever."
    )


class TransactionStatus(serializers.Serializer):
    status = serializers.ChoiceField(["PROCESSING", "COMPLETED", "FAILED"])
    idempotency_key = serializers.CharField()
    transaction_id = serializers.CharField()
    result = TransactionOutput(allow_null=True)


def represent_acceptance(transfer: Transfer) -> dict[str, Any]:
    key = transfer.idempotency_key
    return {
        "status": "ACCEPTED",
        "transaction_id": transfer.public_id,
        "idempotency_key": key,
        "message_id": transfer.public_id,
        "poll_url": f"/api/v1/transactions/status/{quote(key, safe='')}",
        "expires_at": transfer.created_at + timedelta(days=settings.IDEMPOTENCY_DAYS),
    }


def represent_status(transfer: Transfer) -> dict[str, Any]:
    is_over = transfer.status in (Transfer.Status.COMPLETED, Transfer.Status.FAILED)
    return {
        "status": transfer.status if is_over else "PROCESSING",
        "idempotency_key": transfer.idempotency_key,
        "transaction_id": transfer.public_id,
        "result": represent_transfer(transfer) if is_over else None,
    }


class Transactions(APIView):
    """Ask for a transfer (202: written down, done soon), or list transfers."""

    permission_classes = [HasScope]
    scopes = SCOPES

    @extend_schema(
        operation_id="create_transaction",
        request=TransactionInput,
        parameters=[KEY_HEADER],
        responses={202: TransactionAccepted},
    )
    def post(self, request: Request) -> HttpResponse:
        def work() -> Done:
            asked = TransactionInput(data=request.data)
            asked.is_valid(raise_exception=True)
            data = asked.validated_data["transaction"]
            caller = caller_of(request)
            source = wallet_of(caller.merchant, data["source_account_id"])
            transfer = create_transfer(
                caller.merchant,
                TransferWish(
                    source,
                    wallet_of(caller.merchant, data["destination_account_id"]),
                    read_money(data["amount"], source.currency),
                    data["metadata"],
                ),
                idempotency_key=idempotency_key(request),
                actor=caller.actor,
            )
            return _accepted(transfer, represent_acceptance(transfer))

        return once(request, "create_transaction", work)

    @extend_schema(
        operation_id="list_transactions",
        parameters=[
            *PAGE_PARAMETERS,
            OpenApiParameter("status", str, enum=Transfer.Status.values),
        ],
        responses=TransactionPage,
    )
    def get(self, request: Request) -> Response:
        rows = transfers_of(caller_of(request).merchant)
        if status := choice_of(request, "status", Transfer.Status.values):
            rows = rows.filter(status=status)
        return page_of(rows, request, represent_transfer, filters={"status"})


class TransactionDetail(APIView):
    """One transfer."""

    permission_classes = [HasScope]
    scopes = SCOPES

    @extend_schema(operation_id="get_transaction", responses=TransactionOutput)
    def get(self, request: Request, transaction_id: str) -> Response:
        return Response(
            represent_transfer(transfer_of(caller_of(request).merchant, transaction_id))
        )


class TransactionStatusByKey(APIView):
    """What became of the transfer that was asked for under an idempotency key."""

    permission_classes = [HasScope]
    scopes = SCOPES

    @extend_schema(operation_id="get_transaction_status", responses=TransactionStatus)
    def get(self, request: Request, idempotency_key: str) -> Response:
        transfer = transfer_by_key(caller_of(request).merchant, idempotency_key)
        return Response(represent_status(transfer))


class TransactionRefund(APIView):
    """Send back all or part of a completed transfer (202), as a transfer of its own."""

    permission_classes = [HasScope]
    scopes = SCOPES

    @extend_schema(
        operation_id="refund_transaction",
        request=TransactionRefundInput,
        parameters=[KEY_HEADER],
        responses={202: TransactionOutput},
    )
    def post(self, request: Request, transaction_id: str) -> HttpResponse:
        def work() -> Done:
            asked = TransactionRefundInput(data=request.data)
            asked.is_valid(raise_exception=True)
            data = asked.validated_data
            caller = caller_of(request)
            transfer = transfer_of(caller.merchant, transaction_id)
            money = read_money(data["amount"], transfer.currency) if "amount" in data else None
            refund = refund_transfer(
                transfer,
                idempotency_key=idempotency_key(request),
                actor=caller.actor,
                money=money,
                reason=data["reason"],
            )
            return _accepted(refund, represent_transfer(refund))

        return once(request, "refund_transaction", work)


def _accepted(transfer: Transfer, data: dict[str, Any]) -> Done:
    location = f"/api/v1/transactions/{transfer.public_id}"
    return Done(202, render_json(data), location=location, ring=doorbell.Kind.TRANSFERS)
