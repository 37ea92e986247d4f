"""What the bookkeeping examples are about: rows and accounts with symbols for names."""

from ledger.models import Account
from payments import bookkeeping as payments
from payments.models import Dispute, Gateway, Merchant, Payment, Refund, Transfer
from settlements import bookkeeping as settlements
from settlements.models import Adjustment, Payout, ReserveHold, SettlementBatch
from tests.support.entries import NOON

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
    public_id="<refund>",
    merchant=MERCHANT,
    payment=PAYMENT,
    amount=40_00,
    fee_returned=1_28,
    currency="EUR",
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
HOLD = ReserveHold(pk="<hold>", merchant=MERCHANT, currency="EUR", amount=10_00)
GAIN, LOSS = (
    Adjustment(public_id="<adjustment>", merchant=MERCHANT, currency="EUR", amount=amount)
    for amount in (7_50, -7_50)
)
CLEARING = payments.clearing("<gateway>", "EUR")
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
