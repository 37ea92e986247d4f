"""/auth: people log in."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from payments.api.authentication import Caller, HasScope, caller_of, refuse_secrets_in_url
from payments.api.conventions import StrictSerializer
from payments.api.merchants import MerchantOutput, represent_merchant
from payments.models import MerchantMember
from payments.services.logins import Tokens, log_in, log_out, refresh_tokens

PASSWORD_LENGTH_MAX = 128
TOKEN_LENGTH_MAX = 2_000
NO_STORE = {"Cache-Control": "no-store"}


class Credentials(StrictSerializer):
    """What a person logs in with."""

    email = serializers.CharField(max_length=150)
    password = serializers.CharField(max_length=PASSWORD_LENGTH_MAX, trim_whitespace=False)
    merchant_id = serializers.CharField(
        max_length=40, required=False, help_text="For whom, if the person acts for several."
    )


class RefreshInput(StrictSerializer):
    refresh = serializers.CharField(max_length=TOKEN_LENGTH_MAX)


class TokensOutput(serializers.Serializer):
    """`access` goes into the Authorization header; `refresh` counts once, for the next two."""

    access = serializers.CharField()
    refresh = serializers.CharField()


class MeOutput(serializers.Serializer):
    """Who is calling."""

    kind = serializers.ChoiceField(["user", "api_key"])
    id = serializers.CharField()
    name = serializers.CharField(help_text="A person's e-mail address, or the name of a key.")
    role = serializers.ChoiceField(MerchantMember.Role.choices, allow_null=True)
    scopes = serializers.ListField(child=serializers.CharField())
    merchant = MerchantOutput()


def represent_tokens(tokens: Tokens) -> dict[str, str]:
    return {"access": tokens.access, "refresh": tokens.refresh}


def represent_caller(caller: Caller) -> dict[str, Any]:
    return {
        "kind": caller.actor.kind,
        "id": caller.actor.id,
        "name": caller.actor.label,
        "role": caller.member.role if caller.member else None,
        "scopes": sorted(caller.scopes),
        "merchant": represent_merchant(caller.merchant),
    }


class _Open(APIView):
    """Anybody may ask, whatever the Authorization header says: a token in it may be over."""

    authentication_classes = []
    permission_classes = [AllowAny]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        refuse_secrets_in_url(request)

    def get_authenticate_header(self, request: Request) -> str:
        return "Bearer"


class Token(_Open):
    """Log in."""

    @extend_schema(
        operation_id="log_in", auth=[], request=Credentials, responses={200: TokensOutput}
    )
    def post(self, request: Request) -> Response:
        credentials = Credentials(data=request.data)
        credentials.is_valid(raise_exception=True)
        tokens = log_in(**credentials.validated_data)
        if tokens is None:
            raise AuthenticationFailed("The e-mail address or the password is wrong.")
        return Response(represent_tokens(tokens), headers=NO_STORE)


class TokenRefresh(_Open):
    """The next pair of tokens. A refresh token that comes twice ends the login."""

    @extend_schema(
        operation_id="refresh_tokens", auth=[], request=RefreshInput, responses={200: TokensOutput}
    )
    def post(self, request: Request) -> Response:
        wish = RefreshInput(data=request.data)
        wish.is_valid(raise_exception=True)
        tokens = refresh_tokens(wish.validated_data["refresh"])
        if tokens is None:
            raise AuthenticationFailed("This login is over. Log in again.")
        return Response(represent_tokens(tokens), headers=NO_STORE)


class TokenRevocation(_Open):
    """Log out: none of the login's tokens counts any more."""

    @extend_schema(operation_id="log_out", auth=[], request=RefreshInput, responses={204: None})
    def post(self, request: Request) -> Response:
        wish = RefreshInput(data=request.data)
        wish.is_valid(raise_exception=True)
        log_out(wish.validated_data["refresh"])
        return Response(status=204)


class Me(APIView):
    """Who is calling, for which merchant, and what that allows."""

    permission_classes = [HasScope]
    scopes = {"GET": None}

    @extend_schema(operation_id="get_me", responses=MeOutput)
    def get(self, request: Request) -> Response:
        return Response(represent_caller(caller_of(request)))
