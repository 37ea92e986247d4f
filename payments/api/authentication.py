"""Who is calling: a machine with an API key or a person with a token; `Authorization: Bearer …`."""

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.utils import timezone
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed, ParseError
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from ledger.actors import Actor
from payments.key_format import digest_of, is_well_formed
from payments.models import ApiKey, Merchant, MerchantMember
from payments.services.api_keys import note_key_use
from payments.services.logins import member_of
from payments.services.members import SCOPES_OF_ROLE

# A secret in a URL is in logs and histories before we can do anything about it.
NAMES_OF_SECRETS = frozenset({"access_token", "api_key", "apikey", "key", "token"})


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is calling: for which merchant, with which scopes, and as whom in the audit trail.

    `member` is there when it is a person.
    """

    merchant: Merchant
    scopes: frozenset[str]
    actor: Actor
    member: MerchantMember | None = None
    is_authenticated: bool = True


class _BearerAuthentication(BaseAuthentication):
    """Sets `request.user` to a Caller. What is expired, revoked or unknown is 401."""

    refusal = ""

    def authenticate(self, request: Request) -> tuple[Caller, None] | None:
        refuse_secrets_in_url(request)
        scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
        secret = secret.strip(" ")
        if scheme.lower() != "bearer" or not secret or not self.is_ours(secret):
            return None
        caller = self.caller(secret)
        if caller is None:
            raise AuthenticationFailed(self.refusal)
        return caller, None

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"

    def is_ours(self, secret: str) -> bool:
        raise NotImplementedError

    def caller(self, secret: str) -> Caller | None:
        raise NotImplementedError


class ApiKeyAuthentication(_BearerAuthentication):
    """API keys, of machines."""

    refusal = "This API key is unknown, revoked or expired."

    def is_ours(self, secret: str) -> bool:
        return not _is_token(secret)

    def caller(self, secret: str) -> Caller | None:
        if not may_be_key(secret):
            return None
        key = (
            ApiKey.objects.select_related("merchant")
            .filter(digest=digest_of(secret), revoked_at=None)
            .first()
        )
        if key is None or (key.expires_at and key.expires_at <= timezone.now()):
            return None
        note_key_use(key)
        actor = Actor("api_key", key.public_id, key.name)
        return Caller(key.merchant, frozenset(key.scopes), actor)


class PersonAuthentication(_BearerAuthentication):
    """Access tokens, of people who logged in."""

    refusal = "This token is no good, or not any more."

    def is_ours(self, secret: str) -> bool:
        return _is_token(secret)

    def caller(self, secret: str) -> Caller | None:
        member = member_of(secret)
        if member is None:
            return None
        scopes = frozenset(scope.value for scope in SCOPES_OF_ROLE[member.role])
        return Caller(member.merchant, scopes, Actor.user(member.user), member)


def may_be_key(secret: str) -> bool:
    """Whether it is worth a look into the database. The demo's key has a form of its own."""
    return is_well_formed(secret) or not (settings.IS_PRODUCTION or secret.startswith("tk_"))


def refuse_secrets_in_url(request: Request) -> None:
    """400 for anything in the query that is a secret or is named like one."""
    for name, values in request.query_params.lists():
        if name.lower() in NAMES_OF_SECRETS or any(
            is_well_formed(value) or (_is_token(value) and value.startswith("eyJ"))
            for value in values
        ):
            raise ParseError(
                "Send keys and tokens in the Authorization header. One that was in a URL may be in"
                " logs: replace it.",
                code="secret_in_url",
            )


def _is_token(secret: str) -> bool:
    return secret.count(".") == 2


def caller_of(request: Request) -> Caller:
    """Who is calling, on views that only let callers in."""
    assert isinstance(request.user, Caller)
    return request.user


class HasScope(BasePermission):
    """Lets a caller in who has the scope the view names for the method; None lets any caller in."""

    message: str

    def has_permission(self, request: Request, view: Any) -> bool:
        caller, method = request.user, "GET" if request.method == "HEAD" else request.method
        if not isinstance(caller, Caller):
            return False
        has_handler = method != "OPTIONS" and hasattr(view, str(method).lower())
        if not has_handler:  # 405, or what the view says about itself
            return True
        needed = scope_needed(view, str(method))
        if needed is None or needed in caller.scopes:
            return True
        self.message = f"This needs the scope {needed}."
        return False


def scope_needed(view: Any, method: str) -> str | None:
    """The scope a view or its class asks for; KeyError if it forgot a method."""
    scopes = getattr(view, "scopes", None)
    if scopes is None:
        is_read = method == "GET"
        scopes = {method: ApiKey.Scope.PAYMENTS_READ if is_read else ApiKey.Scope.PAYMENTS_WRITE}
    scope = scopes[method]
    return None if scope is None else str(scope)


class ApiKeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """Documents the key in OpenAPI."""

    target_class = "payments.api.authentication.ApiKeyAuthentication"
    name = "apiKey"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "description": "Of machines: `tk_…`."}


class PersonScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """Documents the access token in OpenAPI."""

    target_class = "payments.api.authentication.PersonAuthentication"
    name = "accessToken"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT",
            "description": "Of people: `access` of POST /auth/token.",
        }
