"""One example of every entry the platform can book, with symbols for names: `<merchant>`."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ledger.entries import AccountRef, Entry
from ledger.money import Money
from payments import bookkeeping as payments
from reconciliation import bookkeeping as reconciliation
from reconciliation.models import WriteOff
from settlements import bookkeeping as settlements
from tests.support.bookkeeping_subjects import (
    BANK,
    BATCH,
    CLEARING,
    DISPUTE,
    GAIN,
    HOLD,
    LOSS,
    MERCHANT,
    PAYMENT,
    PAYOUT,
    REFUND,
    TRANSFER,
    TRANSFER_REFUND,
    WALLET,
)
from tests.support.entries import NOON


@dataclass(frozen=True)
class Example:
    """A business event in the words of the page, its entry, and the letters of its amounts."""

    event: str
    function: Callable[..., Entry]
    letters: dict[int, str]
    args: tuple[Any, ...]
    more: dict[str, Any] = field(default_factory=dict)

    @property
    def entry(self) -> Entry:
        return self.function(*self.args, **self.more)

    @property
    def function_name(self) -> str:
        return f"{self.function.__module__.split('.')[0]}.{self.function.__name__}"


def eur(amount: int) -> Money:
    return Money(amount, "EUR")


def usd(amount: int) -> Money:
    return Money(amount, "USD")


def about(key: str, reference: str = "<line>") -> dict[str, Any]:
    """What entries about a statement's line are called with."""
    return {"key": key, "reference": reference, "effective_at": NOON}


def written_off(kind: str, effect: int, off: AccountRef, event: str) -> Example:
    """`effect` is book minus statement, minor units of EUR."""
    difference = reconciliation.account_of_difference(kind, eur(effect))
    other = reconciliation.suspense("EUR") if kind == "booking" else difference
    write_off = WriteOff(
        public_id="<write-off>",
        kind=kind,
        direction="credit" if effect > 0 else "debit",
        amount=abs(effect),
        currency="EUR",
    )
    return Example(
        event,
        reconciliation.entry_for_write_off,
        {abs(effect): "A"},
        (write_off, off, other),
        {"reference": "<matter>", "effective_at": NOON},
    )


PAID = Example(
    "payment succeeded, gross A, our fee F",
    payments.entry_for_payment,
    {100_00: "A", 3_20: "F"},
    (PAYMENT, NOON),
)
PROCESSOR_FEES = Example(
    "processor's fees P of a day's matched lines",
    reconciliation.entry_for_processor_fees,
    {1_65: "P"},
    ("<gateway>", eur(1_65), eur(0)),
    about("<account>:<day>:<first match>-<last match>", "<fee group>"),
)
PROCESSOR_PAYOUT = Example(
    "payout row N in the processor's report",
    reconciliation.entry_for_processor_payout,
    {98_35: "N"},
    ("<gateway>", eur(98_35)),
    about("<line>", "payout:<line>"),
)
DEPOSIT = Example(
    "its bank deposit",
    reconciliation.entry_for_deposit,
    {98_35: "N"},
    (BANK, "<gateway>", eur(98_35)),
    about("<payout row>:<line>"),
)
BATCH_CLOSED = Example(
    "batch closed, pays out N", settlements.entry_for_batch, {96_80: "N"}, (BATCH, NOON)
)
PAYOUT_SENT = Example(
    "payout sent", settlements.entry_for_payout_sent, {96_80: "N"}, (PAYOUT, NOON)
)
PAYOUT_REJECTED = Example(
    "payout rejected by the bank (pain.002)",
    settlements.entry_for_payout_rejected,
    {96_80: "N"},
    (PAYOUT, NOON),
)
PAYOUT_CANCELED = Example(
    "payout canceled before it left",
    settlements.entry_for_payout_canceled,
    {96_80: "N"},
    (PAYOUT, NOON),
)
PAYOUT_RETURNED = Example(
    "payout returned later (bank credit)",
    settlements.entry_for_payout_returned,
    {96_80: "N"},
    (PAYOUT, BANK),
    {"reference": "<line>", "effective_at": NOON},
)
PAYOUT_PAID = Example(
    "payout paid (bank debit)",
    reconciliation.entry_for_payout_paid,
    {96_80: "N"},
    (BANK, eur(96_80)),
    about("<payout>:<line>"),
)
EXAMPLES = (
    PAID,
    Example(
        "refund succeeded R; F of our fee given back by its plan",
        payments.entry_for_refund,
        {40_00: "R", 1_28: "F"},
        (REFUND, NOON),
    ),
    Example(
        "dispute opened D, our fee X",
        payments.entry_for_dispute_opened,
        {100_00: "D", 15_00: "X"},
        (DISPUTE,),
    ),
    Example("dispute won D", payments.entry_for_dispute_won, {100_00: "D"}, (DISPUTE, NOON)),
    Example(
        "wallet funded W (configuration)",
        payments.entry_for_wallet_funding,
        {250_00: "W"},
        (WALLET, eur(250_00)),
        {"key": "funding:<account>", "effective_at": NOON},
    ),
    Example(
        "transfer T between a merchant's own accounts",
        payments.entry_for_transfer,
        {60_00: "T"},
        (TRANSFER, NOON),
    ),
    Example(
        "part R of it goes back",
        payments.entry_for_transfer_refund,
        {20_00: "R"},
        (TRANSFER_REFUND, NOON),
    ),
    Example(
        "adjustment approved: the merchant gains A",
        settlements.entry_for_adjustment,
        {7_50: "A"},
        (GAIN, NOON),
    ),
    Example(
        "adjustment approved: the merchant loses A",
        settlements.entry_for_adjustment,
        {7_50: "A"},
        (LOSS, NOON),
    ),
    Example(
        "reserve R held with a batch",
        settlements.entry_for_reserve_held,
        {10_00: "R"},
        (HOLD, BATCH, NOON),
    ),
    Example(
        "reserve R released with a later batch",
        settlements.entry_for_reserve_released,
        {10_00: "R"},
        (HOLD, BATCH, NOON),
    ),
    Example(
        "fees F of converted payments charged in the batch's currency: G",
        settlements.entry_for_fees_converted,
        {3_20: "F", 2_93: "G"},
        (BATCH, usd(3_20), eur(2_93), NOON),
    ),
    BATCH_CLOSED,
    PAYOUT_SENT,
    PAYOUT_REJECTED,
    PAYOUT_CANCELED,
    PAYOUT_PAID,
    PAYOUT_RETURNED,
    PROCESSOR_FEES,
    Example(
        "the same with fees B given back, as for refunds",
        reconciliation.entry_for_processor_fees,
        {164_95: "P", 3_30: "B"},
        ("<gateway>", eur(164_95), eur(3_30)),
        about("<account>:<day>:<first match>-<last match>", "<fee group>"),
    ),
    Example(
        "one of these matches is undone, its fee was F",
        reconciliation.entry_for_processor_fee_undone,
        {1_65: "F"},
        ("<gateway>", eur(1_65)),
        about("<match>", "<payment>"),
    ),
    Example(
        "processor's fee P that is about no payment",
        reconciliation.entry_for_processor_fee,
        {1_65: "P"},
        ("<gateway>", eur(1_65)),
        about("<line>"),
    ),
    Example(
        "report converts A of one currency into G of another",
        reconciliation.entry_for_conversion,
        {100_00: "A", 92_00: "G"},
        ("<gateway>", usd(100_00), eur(92_00)),
        about("<line>", "<payment>"),
    ),
    Example(
        "merchant converted at the reference rate to M; G − M is ours",
        reconciliation.entry_for_merchant_conversion,
        {100_00: "A", 91_50: "M", 50: "G − M"},
        (MERCHANT, usd(100_00), eur(91_50), eur(92_00)),
        about("<line>", "<payment>"),
    ),
    Example(
        "the same when the processor paid less: M − G is our loss",
        reconciliation.entry_for_merchant_conversion,
        {100_00: "A", 92_30: "M", 30: "M − G"},
        (MERCHANT, usd(100_00), eur(92_30), eur(92_00)),
        about("<line>", "<payment>"),
    ),
    PROCESSOR_PAYOUT,
    DEPOSIT,
    Example(
        "opening balance O of a bank account",
        reconciliation.entry_for_bank_opening,
        {5_000_00: "O"},
        (BANK, eur(5_000_00)),
        {"key": "<account>:<day>:<action>", "effective_at": NOON},
    ),
    written_off(
        "accepted_difference",
        1,
        CLEARING,
        "accepted difference A, approved: the books say more than the report",
    ),
    written_off(
        "accepted_difference",
        -1,
        CLEARING,
        "the same when the report says more",
    ),
    written_off("write_off", 100_00, CLEARING, "write-off A, approved: it is lost"),
    written_off("write_off", -98_35, BANK, "the same when it is ours to keep"),
    written_off(
        "booking",
        -25_00,
        BANK,
        "unexplained deposit A booked, approved (to suspense or a named account)",
    ),
    written_off("booking", 25_00, BANK, "unexplained withdrawal A booked, approved"),
)
# One sale from the card to the merchant's bank account.
STORY = (
    PAID,
    PROCESSOR_FEES,
    PROCESSOR_PAYOUT,
    DEPOSIT,
    BATCH_CLOSED,
    PAYOUT_SENT,
    PAYOUT_PAID,
)
