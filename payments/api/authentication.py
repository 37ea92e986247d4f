"""API keys: `Authorization: Bearer <key>`."""

from dataclasses import dataclass
from typing import Any

from django.utils import timezone
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from ledger.actors import Actor
from payments.models import ApiKey, Merchant
from payments.services.merchants import digest_of, note_key_use


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is calling: the merchant a key acts for, and the key."""

    merchant: Merchant
    key: ApiKey
    is_authenticated: bool = True

    @property
    def actor(self) -> Actor:
        return Actor("api_key", self.key.public_id, self.key.name)


class ApiKeyAuthentication(BaseAuthentication):
    """Sets `request.user` to a Caller. An unknown, revoked or expired key is 401."""

    def authenticate(self, request: Request) -> tuple[Caller, ApiKey] | None:
        scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not secret:
            return None
        key = (
            ApiKey.objects.select_related("merchant")
            .filter(digest=digest_of(secret.strip()), revoked_at=None)
            .first()
        )
        if key is None or (key.expires_at and key.expires_at <= timezone.now()):
            raise AuthenticationFailed("This API key is unknown, revoked or expired.")
        note_key_use(key)
        return Caller(key.merchant, key), key

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


def caller_of(request: Request) -> Caller:
    """Who is calling, on views that only let callers in."""
    assert isinstance(request.user, Caller)
    return request.user


class HasScope(BasePermission):
    """Lets a caller in whose key carries the scope the view names per method."""

    def has_permission(self, request: Request, view: Any) -> bool:
        if not isinstance(request.user, Caller):
            return False
        is_read = request.method in ("GET", "HEAD", "OPTIONS")
        needed = ApiKey.Scope.PAYMENTS_READ if is_read else ApiKey.Scope.PAYMENTS_WRITE
        return needed.value in request.user.key.scopes


class ApiKeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """Documents the key in OpenAPI."""

    target_class = "payments.api.authentication.ApiKeyAuthentication"
    name = "apiKey"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer"}
