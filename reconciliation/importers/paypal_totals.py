"""What the footers of a PayPal settlement report state, against what its lines add up to."""

from dataclasses import dataclass
from decimal import Decimal

from .paypal_records import read_hundredths
from .values import Unreadable, read_currency

# Gross credits and debits, fee credits and debits.
TOTALS = ("CR", "DR", "CR", "DR")
BALANCES_FROM = 6
FOOTER_CELLS_MIN = 10


@dataclass(frozen=True, slots=True)
class Footer:
    """An SF or RF row: the four totals of a currency, its balances and its number of rows."""

    line_no: int
    currency: str
    net: Decimal  # gross credits - gross debits + fee credits - fee debits
    opening: Decimal
    closing: Decimal
    count: int | None


def read_footer(line_no: int, cells: list[str]) -> Footer:
    """Currency, four unsigned totals, then marked balances (opening, closing, others), the count.

    Raises `Unreadable` if the row holds less than totals and two balances.
    """
    texts = [cell.strip() for cell in cells]
    if len(texts) < FOOTER_CELLS_MIN:
        raise Unreadable("bad_footer", f"{len(texts)} cells in a row of totals and balances")
    opening, closing = (
        read_hundredths(texts[at], texts[at + 1], "balance")
        for at in (BALANCES_FROM, BALANCES_FROM + 2)
    )
    rest = BALANCES_FROM
    while texts[rest : rest + 1] and texts[rest] in ("CR", "DR"):
        rest += 2
    count = texts[rest] if rest < len(texts) else ""
    return Footer(
        line_no=line_no,
        currency=read_currency(texts[1], "footer currency"),
        net=sum(
            (
                read_hundredths(mark, text, "total")
                for mark, text in zip(TOTALS, texts[2:6], strict=True)
            ),
            Decimal(0),
        ),
        opening=opening,
        closing=closing,
        count=int(count) if count.isascii() and count.isdigit() and len(count) < 10 else None,
    )


class Moved:
    """What lines move, added up as they are read; not to be compared if one was unreadable."""

    def __init__(self) -> None:
        self.is_complete = True
        self.net = Decimal(0)

    def include(self, other: "Moved") -> None:
        self.is_complete = self.is_complete and other.is_complete
        self.net += other.net

    def contradiction(self, footer: Footer) -> str:
        """What the footer states otherwise, as the reason of a rejected line; "" if nothing.

        Only the sum of its totals is compared: which of them a fee given back counts to, PayPal
        does not say.
        """
        if not self.is_complete or footer.net == self.net:
            return ""
        stated = f"line {footer.line_no} states that {footer.net} {footer.currency} moved"
        return f"wrong_control_total: {stated}, its rows {self.net}"
