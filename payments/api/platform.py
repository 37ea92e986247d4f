"""`?platform=true`: an operator asks for what is the platform's own, not a merchant's."""

from drf_spectacular.utils import OpenApiParameter
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request

from payments.api.authentication import caller_of
from payments.api.parameters import choice_of
from payments.models import ApiKey, Merchant

PLATFORM = OpenApiParameter(
    "platform",
    {"type": "string", "enum": ["true", "false"], "default": "false"},
    description="For the scope `operator`: the platform's in place of the merchant's.",
)


def merchant_asked_for(request: Request) -> Merchant | None:
    """The caller's merchant, or None if an operator asks for the platform's."""
    caller = caller_of(request)
    if choice_of(request, PLATFORM.name, ("true", "false")) != "true":
        return caller.merchant
    if ApiKey.Scope.OPERATOR not in caller.scopes:
        raise PermissionDenied(f"This needs the scope {ApiKey.Scope.OPERATOR}.")
    return None
