"""What does not tie out: by type and age, with the money at stake."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date

from django.db.models import Count, F, Sum
from django.db.models.functions import Abs

from config.back_office.figures import Figure, list_url
from ledger.money import Money
from reconciliation.admin.filters import AGES, age_of
from reconciliation.discrepancy_guide import with_original_day
from reconciliation.models import Discrepancy

# What they are about is a line nobody could read: their amount is none.
WITHOUT_MONEY = {Discrepancy.Type.UNPARSED_LINE}


@dataclass(slots=True)
class TypeRow:
    """Open discrepancies of one type: all of them, then by age, and what is at stake."""

    label: str
    all: Figure
    ages: list[Figure]
    money: list[Figure]


@dataclass(slots=True)
class Discrepancies:
    total: Figure
    ages: list[str]
    rows: list[TypeRow]
    age_totals: list[Figure]
    money: list[Figure]


@dataclass(slots=True)
class _Sums:
    count: int = 0
    by_age: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    by_currency: dict[str, tuple[int, Money]] = field(default_factory=dict)

    def add(self, age: str, count: int, money: Money) -> None:
        self.count += count
        self.by_age[age] += count
        before = self.by_currency.get(money.currency, (0, Money(0, money.currency)))
        self.by_currency[money.currency] = (before[0] + count, before[1] + money)


def discrepancies_section(today: date) -> Discrepancies:
    everything, by_type = _Sums(), defaultdict[str, _Sums](_Sums)
    # By day, and by age here: the database would look the day up anew for each age.
    found = (
        with_original_day(
            Discrepancy.objects.filter(status__in=Discrepancy.UNSETTLED, resolved_at=None)
        )
        .order_by()
        .annotate(day=F("original_on"))
        .values_list("type", "currency", "day")
        .annotate(number=Count("pk"), amount=Sum(Abs("amount")))
    )
    for kind, currency, day, number, amount in found:
        age = age_of(day, today)
        money = Money(0 if kind in WITHOUT_MONEY else amount, currency)
        everything.add(age, number, money)
        by_type[kind].add(age, number, money)
    return Discrepancies(
        total=_figure("Open", everything.count),
        ages=[label for _, _, label in AGES.values()],
        rows=[
            TypeRow(
                label=kind.replace("_", " "),
                all=_figure("open", sums.count, type__exact=kind),
                ages=_by_age(sums, type__exact=kind),
                money=_by_currency(sums, type__exact=kind),
            )
            for kind, sums in sorted(by_type.items(), key=lambda item: -item[1].count)
        ],
        age_totals=_by_age(everything),
        money=_by_currency(everything),
    )


def _by_age(sums: _Sums, **query: str) -> list[Figure]:
    return [_figure(bucket, sums.by_age[bucket], age=bucket, **query) for bucket in AGES]


def _by_currency(sums: _Sums, **query: str) -> list[Figure]:
    return [
        Figure(
            currency,
            count,
            list_url(Discrepancy, work="open", currency=currency, **query),
            money=(money,),
        )
        for currency, (count, money) in sorted(sums.by_currency.items())
    ]


def _figure(label: str, count: int, **query: str) -> Figure:
    return Figure(label, count, list_url(Discrepancy, work="open", **query))
