"""What the templates of the back office need from across the floors."""

from typing import Any

from django import template

register = template.Library()


@register.simple_tag(takes_context=True)
def chain(context: Any, record: Any) -> list[Any]:
    """The records that this one hangs on, of those the viewer may see."""
    # Tags are loaded for the first widget, in the middle of loading what the screens are made of.
    from reconciliation.admin.chains import chain_for

    return chain_for(context["request"].user, record)


@register.filter
def verb(title: str) -> str:
    """What a step does, without the record that the page is about anyway."""
    return title.partition(":")[0]
