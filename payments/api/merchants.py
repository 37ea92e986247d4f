"""/merchants: sign up, and the merchant's own profile."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from payments.api.authentication import HasScope, caller_of
from payments.api.conventions import CurrencyField, StrictSerializer
from payments.models import Merchant
from payments.services.merchants import SignedUp, sign_up


class SignUpInput(StrictSerializer):
    """A new merchant and the person who owns it."""

    name = serializers.CharField(max_length=120, help_text="Of the merchant.")
    email = serializers.EmailField(max_length=150, help_text="The owner logs in with it.")
    password = serializers.CharField(max_length=128, trim_whitespace=False)
    currency = CurrencyField(default="USD", help_text="Of the first wallet.")


class MerchantOutput(serializers.Serializer):
    id = serializers.CharField()
    code = serializers.CharField()
    name = serializers.CharField()
    email = serializers.CharField()
    time_zone = serializers.CharField()
    created_at = serializers.DateTimeField()


class WalletOutput(serializers.Serializer):
    id = serializers.CharField()
    code = serializers.CharField()
    currency = CurrencyField()


class SignedUpOutput(MerchantOutput):
    account = WalletOutput()


def represent_merchant(merchant: Merchant) -> dict[str, Any]:
    return {
        "id": merchant.public_id,
        "code": merchant.code,
        "name": merchant.name,
        "email": merchant.email,
        "time_zone": merchant.time_zone,
        "created_at": merchant.created_at,
    }


def represent_signed_up(new: SignedUp) -> dict[str, Any]:
    account = new.account
    return {
        **represent_merchant(new.merchant),
        "account": {
            "id": account.public_id,
            "code": account.code,
            "currency": account.currency,
        },
    }


class SignUp(APIView):
    """Sign up: creates a merchant, its owner and a wallet. The owner then logs in."""

    authentication_classes = []
    permission_classes = [AllowAny]

    @extend_schema(
        operation_id="sign_up", auth=[], request=SignUpInput, responses={201: SignedUpOutput}
    )
    def post(self, request: Request) -> Response:
        wish = SignUpInput(data=request.data)
        wish.is_valid(raise_exception=True)
        return Response(represent_signed_up(sign_up(**wish.validated_data)), status=201)


class MyMerchant(APIView):
    """The merchant the caller acts for."""

    permission_classes = [HasScope]
    scopes = {"GET": None}

    @extend_schema(operation_id="get_my_merchant", responses=MerchantOutput)
    def get(self, request: Request) -> Response:
        return Response(represent_merchant(caller_of(request).merchant))
