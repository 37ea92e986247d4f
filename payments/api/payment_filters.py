"""Which payments a list shows."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request

from ledger.money import Money
from payments.api.parameters import (
    AMOUNT,
    CURRENCY,
    MOMENT,
    choice_of,
    currency_of,
    moment_of,
    money_of,
)
from payments.models import Payment

FILTER_PARAMETERS = [
    OpenApiParameter("status", str, enum=Payment.Status.values),
    OpenApiParameter("reference", str),
    OpenApiParameter("currency", CURRENCY, description="ISO 4217."),
    OpenApiParameter("amount_min", AMOUNT, description="Major units; needs `currency`."),
    OpenApiParameter("amount_max", AMOUNT, description="Major units; needs `currency`."),
    OpenApiParameter("created_from", MOMENT, description="RFC 3339, with an offset."),
    OpenApiParameter("created_before", MOMENT, description="RFC 3339, with an offset."),
]
FILTERS = frozenset(parameter.name for parameter in FILTER_PARAMETERS)


def filter_payments(rows: QuerySet[Payment], request: Request) -> QuerySet[Payment]:
    """The rows the query parameters choose: from is included, before is not, min and max are."""
    conditions: dict[str, Any] = {
        "status": choice_of(request, "status", Payment.Status.values),
        "reference": request.query_params.get("reference"),
        "currency": currency_of(request),
        "amount__gte": _minor(money_of(request, "amount_min")),
        "amount__lte": _minor(money_of(request, "amount_max")),
        "created_at__gte": moment_of(request, "created_from"),
        "created_at__lt": moment_of(request, "created_before"),
    }
    return rows.filter(
        **{lookup: value for lookup, value in conditions.items() if value is not None}
    )


def _minor(money: Money | None) -> int | None:
    return None if money is None else money.amount
