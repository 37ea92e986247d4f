"""Reference exchange rates."""

import csv
import io
from datetime import date
from decimal import Decimal, InvalidOperation

from ledger.errors import Invalid
from ledger.money import exponent_of
from reconciliation.models import FxRate


def import_fx_rates(content: str) -> int:
    """Load rates from CSV with the columns date, base, quote, rate; returns how many rows it has.

    A rate that is there already is replaced. Raises Invalid, naming the line, with nothing loaded.
    """
    rates = []
    reader = csv.DictReader(io.StringIO(content))
    missing = {"date", "base", "quote", "rate"} - set(reader.fieldnames or ())
    if missing:
        raise Invalid(f"The columns {', '.join(sorted(missing))} are missing.")
    for row in reader:
        try:
            rate = Decimal(row["rate"])
            exponent_of(row["base"])
            exponent_of(row["quote"])
            if not rate.is_finite() or rate <= 0:
                raise Invalid(f"{row['rate']!r} is no rate")
            day = date.fromisoformat(row["date"])
        except (ValueError, TypeError, InvalidOperation, Invalid) as problem:
            raise Invalid(f"Line {reader.line_num}: {problem}") from None
        rates.append(FxRate(date=day, base=row["base"], quote=row["quote"], rate=rate))
    FxRate.objects.bulk_create(
        {(rate.date, rate.base, rate.quote): rate for rate in rates}.values(),
        update_conflicts=True,
        unique_fields=["base", "quote", "date"],
        update_fields=["rate"],
    )
    return len(rates)
