"""What the rules draw from."""

from datetime import timedelta

from hypothesis import strategies as st

from ledger.entries import AccountRef, AccountType
from tests.properties.lifecycle.two_ledgers import MONTHS

# One in every period, and one after them all.
MOMENTS = [month + timedelta(days=14, hours=12) for month in MONTHS]
WALLETS = [
    AccountRef("wallet", AccountType.LIABILITY, "EUR", "m", floor=0),
    AccountRef("other", AccountType.LIABILITY, "EUR", "m", floor=0),
    AccountRef("credit", AccountType.LIABILITY, "EUR", "m", floor=-50),
    AccountRef("till", AccountType.ASSET, "EUR", "m", floor=0),
    AccountRef("free", AccountType.LIABILITY, "EUR", "m"),
    AccountRef("dollars", AccountType.LIABILITY, "USD", "m", floor=0),
]
WRONG = [
    AccountRef("wallet", AccountType.ASSET, "EUR", "m", floor=0),
    AccountRef("wallet", AccountType.LIABILITY, "USD", "m", floor=0),
]

wallets = st.sampled_from(WALLETS)
wallets_or_wrong = st.sampled_from(WALLETS * 3 + WRONG)
# Round ones, so that what is asked is often just what is there, or held.
amounts = st.sampled_from([1, 10, 25, 50, 60])
moments = st.sampled_from(MOMENTS)
some = st.integers(0, 10**6)  # picks one of what there is by then
