"""/api-keys: a merchant's keys for its machines."""

from datetime import datetime
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from payments.api.auth import NO_STORE
from payments.api.authentication import HasScope, caller_of
from payments.api.conventions import StrictSerializer
from payments.api.pages import PAGE_PARAMETERS, page_of
from payments.models import ApiKey
from payments.selectors import api_key_of, api_keys_of
from payments.services.api_keys import (
    OVERLAP_HOURS,
    OVERLAP_HOURS_MAX,
    check_grant,
    issue_api_key,
    revoke_api_key,
    rotate_api_key,
)

SCOPES_MAX = 20
SCOPES = {"GET": ApiKey.Scope.KEYS_WRITE, "POST": ApiKey.Scope.KEYS_WRITE}


class MomentField(serializers.DateTimeField):
    """A moment with an offset: without one, nobody knows when it is."""

    def enforce_timezone(self, value: datetime) -> datetime:
        if timezone.is_naive(value):
            raise serializers.ValidationError("Send an offset, as in 2026-03-02T09:30:00Z.")
        return super().enforce_timezone(value)


class ApiKeyInput(StrictSerializer):
    """What the new key may do, and until when."""

    name = serializers.CharField(max_length=80)
    scopes = serializers.ListField(
        child=serializers.ChoiceField(ApiKey.Scope.choices),
        min_length=1,
        max_length=SCOPES_MAX,
        help_text="At most those the caller has.",
    )
    expires_at = MomentField(required=False, allow_null=True, default=None)


class RotationInput(StrictSerializer):
    overlap_hours = serializers.IntegerField(
        min_value=0,
        max_value=OVERLAP_HOURS_MAX,
        default=OVERLAP_HOURS,
        help_text="How long the old key still works.",
    )


class ApiKeyOutput(serializers.Serializer):
    """A key without its secret."""

    id = serializers.CharField()
    name = serializers.CharField()
    prefix = serializers.CharField()
    scopes = serializers.ListField(child=serializers.CharField())
    expires_at = serializers.DateTimeField(allow_null=True)
    revoked_at = serializers.DateTimeField(allow_null=True)
    last_used_at = serializers.DateTimeField(allow_null=True)
    replaced_by = serializers.CharField(allow_null=True)
    created_by = serializers.CharField()
    created_at = serializers.DateTimeField()


class NewApiKeyOutput(ApiKeyOutput):
    key = serializers.CharField(help_text="The secret. It is shown only this once.")


class ApiKeyPage(serializers.Serializer):
    results = ApiKeyOutput(many=True)
    next_cursor = serializers.CharField(allow_null=True)
    has_more = serializers.BooleanField()


def represent_api_key(key: ApiKey) -> dict[str, Any]:
    return {
        "id": key.public_id,
        "name": key.name,
        "prefix": key.prefix,
        "scopes": key.scopes,
        "expires_at": key.expires_at,
        "revoked_at": key.revoked_at,
        "last_used_at": key.last_used_at,
        "replaced_by": key.replaced_by.public_id if key.replaced_by else None,
        "created_by": key.created_by,
        "created_at": key.created_at,
    }


def _issued(key: ApiKey, secret: str) -> Response:
    headers = {**NO_STORE, "Location": f"/api/v1/api-keys/{key.public_id}"}
    return Response({**represent_api_key(key), "key": secret}, status=201, headers=headers)


class ApiKeys(APIView):
    """Create a key, whose secret is shown once, or list the merchant's keys."""

    permission_classes = [HasScope]
    scopes = SCOPES

    @extend_schema(
        operation_id="create_api_key", request=ApiKeyInput, responses={201: NewApiKeyOutput}
    )
    def post(self, request: Request) -> Response:
        caller, wish = caller_of(request), ApiKeyInput(data=request.data)
        wish.is_valid(raise_exception=True)
        check_grant(wish.validated_data["scopes"], own=caller.scopes)
        return _issued(*issue_api_key(caller.merchant, actor=caller.actor, **wish.validated_data))

    @extend_schema(
        operation_id="list_api_keys",
        parameters=PAGE_PARAMETERS,
        responses=ApiKeyPage,
    )
    def get(self, request: Request) -> Response:
        return page_of(api_keys_of(caller_of(request).merchant), request, represent_api_key)


class ApiKeyDetail(APIView):
    """One key, or its end: revoked, it lets no request in any more."""

    permission_classes = [HasScope]
    scopes = {"GET": ApiKey.Scope.KEYS_WRITE, "DELETE": ApiKey.Scope.KEYS_WRITE}

    @extend_schema(operation_id="get_api_key", responses=ApiKeyOutput)
    def get(self, request: Request, key_id: str) -> Response:
        return Response(represent_api_key(api_key_of(caller_of(request).merchant, key_id)))

    @extend_schema(operation_id="revoke_api_key", responses={204: None})
    def delete(self, request: Request, key_id: str) -> Response:
        caller = caller_of(request)
        revoke_api_key(api_key_of(caller.merchant, key_id), actor=caller.actor)
        return Response(status=204)


class ApiKeyRotation(APIView):
    """Replace a key by a new one with the same name and scopes; for a while both work."""

    permission_classes = [HasScope]
    scopes = {"POST": ApiKey.Scope.KEYS_WRITE}

    @extend_schema(
        operation_id="rotate_api_key", request=RotationInput, responses={201: NewApiKeyOutput}
    )
    def post(self, request: Request, key_id: str) -> Response:
        caller, wish = caller_of(request), RotationInput(data=request.data)
        key = api_key_of(caller.merchant, key_id)
        wish.is_valid(raise_exception=True)
        check_grant(key.scopes, own=caller.scopes)
        return _issued(*rotate_api_key(key, actor=caller.actor, **wish.validated_data))
