"""What the templates of the back office need from across the floors."""

from decimal import Decimal
from typing import Any

from django import template

from ledger.errors import DomainError
from ledger.money import Money

register = template.Library()


@register.simple_tag(takes_context=True)
def chain(context: Any, record: Any) -> list[Any]:
    """The records that this one hangs on, of those the viewer may see."""
    # Tags are loaded for the first widget, in the middle of loading what the screens are made of.
    from reconciliation.admin.chains import chain_for

    return chain_for(context["request"].user, record)


@register.simple_tag(takes_context=True)
def saved_views(context: Any) -> Any:
    """What the viewer kept of the list that is shown, and what others share."""
    from ledger.admin.saved_views import views_beside

    return views_beside(context["request"], context["cl"].model_admin)


@register.filter
def verb(title: str) -> str:
    """What a step does, without the record that the page is about anyway."""
    return title.partition(":")[0]


@register.filter
def in_currency(amount: Decimal | None, currency: str) -> str:
    """With the decimals of its currency; as it was read where it has others, or the currency none.

    `None` is empty.
    """
    if amount is None:
        return ""
    try:
        return Money.exactly(amount, currency).text
    except DomainError:
        return str(amount)
