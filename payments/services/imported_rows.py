"""What loading payments and refunds of another system has in common."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, transaction

from ledger.actors import Actor
from ledger.entries import Entry
from ledger.errors import Busy
from ledger.services.posting import Status, post_entries
from payments.history import HistoryRow, RowRefused
from payments.models import Gateway, Merchant, Payment, Refund


@dataclass(frozen=True, slots=True)
class Chunk:
    """Rows that are loaded together, and what they name."""

    rows: list[HistoryRow]
    merchants: dict[str, Merchant]
    gateways: dict[str, Gateway]
    actor: Actor
    payments: dict[tuple[str, str], Payment]

    @classmethod
    def of(
        cls,
        rows: list[HistoryRow],
        gateways: dict[str, Gateway],
        actor: Actor,
        payments: dict[tuple[str, str], Payment],
    ) -> "Chunk":
        """Merchants that are missing are created. `payments` are those of chunks before."""
        codes = {row.merchant for row in rows}
        merchants = _merchants(codes)
        if missing := codes - merchants.keys():
            Merchant.objects.bulk_create(
                [Merchant(code=code, name=code) for code in sorted(missing)], ignore_conflicts=True
            )
            merchants |= _merchants(missing)
        return cls(rows, merchants, gateways, actor, payments)

    def payment_of(self, row: HistoryRow) -> Payment:
        """To make an entry from: one for all rows of a merchant and gateway, because making one
        costs more than posting it.
        """
        key = (row.merchant, row.gateway)
        payment = self.payments.get(key)
        if payment is None:
            payment = Payment(
                merchant=self.merchants[row.merchant], gateway=self.gateways[row.gateway]
            )
            self.payments[key] = payment
        return payment

    def keys(self) -> dict[str, list[Any]]:
        """What the statements take that look for rows loaded before."""
        return {
            "merchant_ids": self.merchant_ids(self.rows),
            "keys": [row.idempotency_key for row in self.rows],
        }

    def merchant_ids(self, rows: Sequence[HistoryRow]) -> list[int]:
        return [self.merchants[row.merchant].pk for row in rows]

    def columns(self, rows: Sequence[HistoryRow]) -> dict[str, Any]:
        """What the statements take that write some of the rows down, payments or refunds."""
        fees = [row.fee_expected for row in rows]
        return {
            "merchant_ids": self.merchant_ids(rows),
            "keys": [row.idempotency_key for row in rows],
            "digests": [row.digest for row in rows],
            "references": [row.reference for row in rows],
            "amounts": [row.money.amount for row in rows],
            "currencies": [row.money.currency for row in rows],
            "effective_ats": [row.effective_at for row in rows],
            "settlement_currencies": [row.settlement_currency for row in rows],
            "settlement_dues": [row.settlement_due_on for row in rows],
            "processor_fees": [None if fee is None else fee.amount for fee in fees],
            "processor_fee_currencies": ["" if fee is None else fee.currency for fee in fees],
            "created_by": str(self.actor),
        }

    def new_rows(self, known: dict[int, str]) -> list[HistoryRow]:
        """Rows not loaded before. `known` are the digests of those that were, by position from 1.

        Raises RowRefused if the same id has other content.
        """
        new: list[HistoryRow] = []
        seen: dict[tuple[str, str], str] = {}
        for position, row in enumerate(self.rows, start=1):
            key = (row.merchant, row.external_id)
            digest = known.get(position) or seen.get(key)
            if digest is None:
                new.append(row)
                seen[key] = row.digest
            elif digest != row.digest:
                problem = f"{row.external_id} was loaded before with other content"
                raise RowRefused(row.line_no, problem)
        return new

    @contextmanager
    def refusing_duplicates(
        self, model: type[Payment] | type[Refund], rows: Sequence[HistoryRow]
    ) -> Iterator[None]:
        """Around writing the rows down: raises RowRefused for one whose reference is taken.

        Raises Busy if somebody else wrote some of them down meanwhile.
        """
        try:
            with transaction.atomic():
                yield
        except IntegrityError as refusal:
            of_merchants = model._default_manager.filter(merchant__in=self.merchants.values())
            keys = [row.idempotency_key for row in rows]
            if of_merchants.filter(idempotency_key__in=keys).exists():
                raise Busy("Another import has loaded some of these rows; try again.") from refusal
            references = [row.reference for row in rows]
            taken = set(
                of_merchants.filter(reference__in=references).values_list(
                    "merchant__code", "reference"
                )
            )
            for row in rows:
                if (row.merchant, row.reference) in taken:
                    problem = f"a reference occurs twice for one merchant: {row.reference!r}"
                    raise RowRefused(row.line_no, problem) from refusal
                taken.add((row.merchant, row.reference))
            raise


def post_rows(entries: Sequence[tuple[HistoryRow, Entry]]) -> None:
    """Post the entries of rows; raises RowRefused for the first that the ledger refuses."""
    results = post_entries([entry for _, entry in entries])
    for (row, _), result in zip(entries, results, strict=True):
        if result.status == Status.REFUSED:
            raise RowRefused(row.line_no, result.message)


def _merchants(codes: set[str]) -> dict[str, Merchant]:
    return {merchant.code: merchant for merchant in Merchant.objects.filter(code__in=codes)}
