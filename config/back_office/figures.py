"""Figures of the landing page: each says how many, and leads to the very rows that were counted."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.db.models import CharField, Count, Model, QuerySet, Value
from django.urls import reverse

from ledger.money import Money


@dataclass(frozen=True, slots=True)
class Figure:
    """`url` is the list of exactly `count` rows. `tone` is good, warn, bad or empty."""

    label: str
    count: int
    url: str
    money: tuple[Money, ...] = ()
    tone: str = ""
    note: str = ""


def list_url(model: type[Model], **query: object) -> str:
    """The back office's list of a model, filtered."""
    options = model._meta
    url = reverse(f"admin:{options.app_label}_{options.model_name}_changelist")
    return f"{url}?{urlencode(query)}" if query else url


def record_url(record: Model) -> str:
    options = record._meta
    return reverse(f"admin:{options.app_label}_{options.model_name}_change", args=[record.pk])


def may_see(request: Any, *models: type[Model]) -> bool:
    """Whether whoever asks may look at all of these."""
    return all(
        request.user.has_perm(f"{model._meta.app_label}.view_{model._meta.model_name}")
        for model in models
    )


def count_each(wanted: Mapping[str, QuerySet[Any]]) -> dict[str, int]:
    """How many rows each has, in one query."""
    counts = dict.fromkeys(wanted, 0)
    parts = [
        rows.order_by()
        .annotate(which=Value(name, output_field=CharField()))
        .values("which")
        .annotate(number=Count("pk"))
        .values_list("which", "number")
        for name, rows in wanted.items()
    ]
    if parts:
        first, *others = parts
        counts |= dict(first.union(*others, all=True) if others else first)
    return counts
