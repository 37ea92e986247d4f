"""/accounts: a merchant's own accounts, what is on them and what went through them."""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from ledger.models import Account
from ledger.selectors import AccountStatementLine, account_statement, balance_of
from payments.api.authentication import HasScope, caller_of
from payments.api.conventions import AmountText, CurrencyField, StrictSerializer
from payments.api.pages import PAGE_PARAMETERS, listing_of, page_of
from payments.api.parameters import MOMENT, moment_of, refuse_others
from payments.models import ApiKey
from payments.selectors import wallet_of, wallets_of
from payments.services.wallets import WALLET_CODE, create_wallet
from payments.trails import TrailEvent, account_trail

READ_SCOPES = {"GET": ApiKey.Scope.ACCOUNTS_READ}


class AccountInput(StrictSerializer):
    """An account to open; without a code it gets one."""

    code = serializers.RegexField(
        rf"^(?:{WALLET_CODE.pattern})\Z",
        required=False,
        help_text="Yours; names the account wherever its id does. Not acct_….",
    )
    name = serializers.CharField(max_length=120)
    currency = CurrencyField(help_text="ISO 4217.")
    allow_negative = serializers.BooleanField(
        default=False, help_text="Whether transfers may take more than there is."
    )


class AccountOutput(serializers.Serializer):
    """An account and what is on it now. Amounts are text in major units."""

    id = serializers.CharField()
    code = serializers.CharField()
    name = serializers.CharField()
    currency = CurrencyField()
    allow_negative = serializers.BooleanField()
    balance = AmountText()
    available = AmountText()
    pending = AmountText()
    created_at = serializers.DateTimeField()


class AccountPage(serializers.Serializer):
    results = AccountOutput(many=True)
    next_cursor = serializers.CharField(allow_null=True)
    has_more = serializers.BooleanField()


class AccountBalanceOutput(serializers.Serializer):
    """What is on an account. What was available at an earlier moment is not known: null."""

    account_id = serializers.CharField()
    code = serializers.CharField()
    currency = CurrencyField()
    balance = AmountText(help_text="What is posted.")
    available = AmountText(allow_null=True, help_text="balance − pending")
    pending = AmountText(allow_null=True, help_text="What open holds may still take.")
    as_of = serializers.DateTimeField()


class LedgerLine(serializers.Serializer):
    id = serializers.CharField()
    journal_entry_id = serializers.CharField()
    direction = serializers.ChoiceField(["debit", "credit"])
    amount = AmountText()
    balance_after = AmountText()
    reference = serializers.CharField(help_text="What it is about, e.g. a transaction's id.")
    effective_at = serializers.DateTimeField()
    posted_at = serializers.DateTimeField()


class LedgerPage(serializers.Serializer):
    results = LedgerLine(many=True)
    next_cursor = serializers.CharField(allow_null=True)
    has_more = serializers.BooleanField()


class TrailLine(serializers.Serializer):
    """Something that was done; `actor` is null where nobody is known to have asked for it."""

    id = serializers.CharField()
    action = serializers.CharField(help_text="noun.verb_past, e.g. transfer.posted")
    actor = serializers.CharField(allow_null=True)
    subject = serializers.CharField()
    reason = serializers.CharField(allow_null=True)
    details = serializers.DictField()
    created_at = serializers.DateTimeField()


class TrailLines(serializers.Serializer):
    results = TrailLine(many=True)
    next_cursor = serializers.CharField(allow_null=True)
    has_more = serializers.BooleanField()


def represent_account(account: Account) -> dict[str, Any]:
    return {
        "id": account.public_id,
        "code": account.code,
        "name": account.name,
        "currency": account.currency,
        "allow_negative": account.floor is None,
        "balance": account.balance.money.text,
        "available": account.balance.available_money.text,
        "pending": account.balance.pending_money.text,
        "created_at": account.created_at,
    }


def represent_line(line: AccountStatementLine) -> dict[str, Any]:
    return {
        "id": f"{line.journal_entry}.{line.position}",
        "journal_entry_id": line.journal_entry,
        "direction": line.direction,
        "amount": line.amount.text,
        "balance_after": line.balance_after.text,
        "reference": line.reference,
        "effective_at": line.effective_at,
        "posted_at": line.posted_at,
    }


def represent_event(event: TrailEvent) -> dict[str, Any]:
    return {
        "id": event.id,
        "action": event.action,
        "actor": event.actor,
        "subject": event.subject,
        "reason": event.reason or None,
        "details": event.details,
        "created_at": event.at,
    }


class Accounts(APIView):
    """Open an account (201), or list them."""

    permission_classes = [HasScope]
    scopes = {**READ_SCOPES, "POST": ApiKey.Scope.ACCOUNTS_WRITE}

    @extend_schema(
        operation_id="create_account", request=AccountInput, responses={201: AccountOutput}
    )
    def post(self, request: Request) -> Response:
        wish = AccountInput(data=request.data)
        wish.is_valid(raise_exception=True)
        caller = caller_of(request)
        account = create_wallet(caller.merchant, actor=caller.actor, **wish.validated_data)
        location = {"Location": f"/api/v1/accounts/{account.public_id}"}
        return Response(represent_account(account), status=201, headers=location)

    @extend_schema(operation_id="list_accounts", parameters=PAGE_PARAMETERS, responses=AccountPage)
    def get(self, request: Request) -> Response:
        return page_of(wallets_of(caller_of(request).merchant), request, represent_account)


class AccountDetail(APIView):
    """One account, by its id or its code."""

    permission_classes = [HasScope]
    scopes = READ_SCOPES

    @extend_schema(operation_id="get_account", responses=AccountOutput)
    def get(self, request: Request, account_id: str) -> Response:
        return Response(represent_account(wallet_of(caller_of(request).merchant, account_id)))


class AccountBalance(APIView):
    """What is on an account, now or at a moment."""

    permission_classes = [HasScope]
    scopes = READ_SCOPES

    @extend_schema(
        operation_id="get_account_balance",
        parameters=[OpenApiParameter("as_of", MOMENT, description="RFC 3339; without it, now.")],
        responses=AccountBalanceOutput,
    )
    def get(self, request: Request, account_id: str) -> Response:
        refuse_others(request, {"as_of"})
        as_of = moment_of(request, "as_of")
        account = wallet_of(caller_of(request).merchant, account_id)
        kept = account.balance
        balance = kept.money if as_of is None else balance_of(account, as_of=as_of)
        return Response(
            {
                "account_id": account.public_id,
                "code": account.code,
                "currency": account.currency,
                "balance": balance.text,
                "available": kept.available_money.text if as_of is None else None,
                "pending": kept.pending_money.text if as_of is None else None,
                "as_of": as_of or timezone.now(),
            }
        )


class AccountLedger(APIView):
    """What was posted to an account, newest first, with the balance after each line."""

    permission_classes = [HasScope]
    scopes = READ_SCOPES

    @extend_schema(
        operation_id="list_account_ledger", parameters=PAGE_PARAMETERS, responses=LedgerPage
    )
    def get(self, request: Request, account_id: str) -> Response:
        account = wallet_of(caller_of(request).merchant, account_id)

        def read(cursor: str | None, limit: int) -> tuple[list[dict[str, Any]], str | None]:
            page = account_statement(account, cursor=cursor, limit=limit)
            return [represent_line(line) for line in page.lines], page.next_cursor

        return listing_of(request, read)


class AccountTrail(APIView):
    """Who did what with an account: changes of it, transfers asked for, and postings."""

    permission_classes = [HasScope]
    scopes = READ_SCOPES

    @extend_schema(
        operation_id="list_account_audit_trail", parameters=PAGE_PARAMETERS, responses=TrailLines
    )
    def get(self, request: Request, account_id: str) -> Response:
        account = wallet_of(caller_of(request).merchant, account_id)

        def read(places: Any, limit: int) -> tuple[list[dict[str, Any]], Any]:
            page = account_trail(account, places=places, limit=limit)
            return [represent_event(event) for event in page.events], page.next_places

        return listing_of(request, read)
