"""One example of every entry the platform can book, with symbols for names: `<merchant>`."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ledger.entries import Entry
from ledger.models import Account
from ledger.money import Money
from payments import bookkeeping as payments
from payments.models import Dispute, Gateway, Merchant, Payment, Refund, Transfer
from reconciliation import bookkeeping as reconciliation
from settlements import bookkeeping as settlements
from settlements.models import Payout, SettlementBatch
from tests.support.entries import NOON

MODULES = (payments, settlements, reconciliation)
GATEWAY = Gateway(code="<gateway>")
MERCHANT = Merchant(code="<merchant>", public_id="<merchant>")
PAYMENT = Payment(
    public_id="<payment>",
    merchant=MERCHANT,
    gateway=GATEWAY,
    amount=100_00,
    amount_captured=100_00,
    fee=3_20,
    currency="EUR",
)
REFUND = Refund(
    public_id="<refund>", merchant=MERCHANT, payment=PAYMENT, amount=40_00, currency="EUR"
)
DISPUTE = Dispute(
    public_id="<dispute>",
    merchant=MERCHANT,
    payment=PAYMENT,
    amount=100_00,
    fee=15_00,
    currency="EUR",
    effective_at=NOON,
)
BATCH = SettlementBatch(public_id="<batch>", merchant=MERCHANT, currency="EUR", payout_amount=96_80)
PAYOUT = Payout(public_id="<payout>", batch=BATCH, merchant=MERCHANT, currency="EUR", amount=96_80)
BANK = settlements.bank("<iban>", "EUR")
WALLET = payments.wallet(MERCHANT, "<wallet>", "EUR")
WALLETS = [
    Account(code=code, type=WALLET.type, currency="EUR", owner=WALLET.owner, floor=WALLET.floor)
    for code in ("<source>", "<destination>")
]
TRANSFER = Transfer(
    public_id="<transfer>",
    source_account=WALLETS[0],
    destination_account=WALLETS[1],
    amount=60_00,
    currency="EUR",
)
TRANSFER_REFUND = Transfer(
    public_id="<transfer refund>",
    source_account=WALLETS[1],
    destination_account=WALLETS[0],
    amount=20_00,
    currency="EUR",
    refund_of=TRANSFER,
)


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


PAID = Example(
    "payment succeeded, gross A, our fee F",
    payments.entry_for_payment,
    {100_00: "A", 3_20: "F"},
    (PAYMENT, NOON),
)
PROCESSOR_FEE = Example(
    "processor's fee P, by its report",
    reconciliation.entry_for_processor_fee,
    {1_65: "P"},
    ("<gateway>", eur(1_65)),
    about("<line>", "<payment>"),
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
PAYOUT_PAID = Example(
    "payout paid (bank debit)",
    reconciliation.entry_for_payout_paid,
    {96_80: "N"},
    (BANK, eur(96_80)),
    about("<payout>:<line>"),
)
EXAMPLES = (
    PAID,
    Example("refund succeeded R", payments.entry_for_refund, {40_00: "R"}, (REFUND, NOON)),
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
    BATCH_CLOSED,
    PAYOUT_SENT,
    PAYOUT_PAID,
    PROCESSOR_FEE,
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
)
# One sale from the card to the merchant's bank account.
STORY = (
    PAID,
    PROCESSOR_FEE,
    PROCESSOR_PAYOUT,
    DEPOSIT,
    BATCH_CLOSED,
    PAYOUT_SENT,
    PAYOUT_PAID,
)


def functions() -> set[Callable[..., Entry]]:
    """Every business event the platform can book."""
    return {
        function
        for module in MODULES
        for name, function in inspect.getmembers(module, inspect.isfunction)
        if name.startswith("entry_for_") and function.__module__ == module.__name__
    }
