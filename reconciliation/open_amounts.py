"""By how much discrepancies keep our books and a statement apart, and on which account."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from ledger import sql
from ledger.entries import AccountRef
from ledger.models import Account
from ledger.money import Money
from reconciliation.models import Discrepancy

Types = Discrepancy.Type
# The line itself is what is off; whatever else it may be about has, or lacks, lines of its own.
ABOUT_A_LINE = (
    Types.ORPHAN_LINE,
    Types.DUPLICATE_LINE,
    Types.DEPOSIT_OVER,
    Types.DEPOSIT_DUPLICATE,
    Types.PAYOUT_RETURNED,
    Types.UNEXPLAINED_BANK_LINE,
)
# Processor and bank disagree; each of them agrees with our books of itself.
ABOUT_MONEY_IN_TRANSIT = (Types.DEPOSIT_SHORT, Types.DEPOSIT_MISSING)
# What happened is posted as it happened: nothing keeps the books and the statement apart.
POSTED_AS_REPORTED = (Types.FEE_MISMATCH, Types.FX_RATE_DEVIATION, Types.LATE_SETTLEMENT)


@dataclass(frozen=True, slots=True)
class OpenAmount:
    """`effect` is book minus statement. An entry under `reference` is set against it."""

    account: AccountRef
    reference: str
    effect: Money


def open_amounts(discrepancy: Discrepancy) -> list[OpenAmount]:
    """What a discrepancy leaves open, by account, as of now; empty if nothing is off by itself."""
    return open_amounts_of([discrepancy])[discrepancy.pk]


def open_amounts_of(discrepancies: Iterable[Discrepancy]) -> dict[int, list[OpenAmount]]:
    """The same for many, by their ids.

    Computed like the tie-out (`sql/list_open_items.sql`), for the one matter that each is about.
    """
    rows = sql.rows(
        "reconciliation",
        "list_open_amounts",
        ids=[discrepancy.pk for discrepancy in discrepancies],
        posted=[kind.value for kind in POSTED_AS_REPORTED],
        about_a_line=[kind.value for kind in ABOUT_A_LINE],
        in_transit=[kind.value for kind in ABOUT_MONEY_IN_TRANSIT],
    )
    accounts = Account.objects.in_bulk({row.account_id for row in rows})
    found: dict[int, list[OpenAmount]] = defaultdict(list)
    for row in rows:
        ref = accounts[row.account_id].ref
        found[row.id].append(OpenAmount(ref, row.matter, Money(row.effect, ref.currency)))
    return found
