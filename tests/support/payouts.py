"""Merchants with bank accounts, and payouts on their way through files."""

from collections.abc import Iterable
from datetime import date

from django.utils import timezone

from ledger.actors import Actor
from payments.models import Merchant
from settlements.models import DebtorAccount, MerchantBankAccount, Payout, PayoutFile
from settlements.rails.orders import NamedAccount
from settlements.services.bank_accounts import (
    ask_for_bank_account,
    define_debtor_account,
    verify_bank_account,
)
from settlements.services.payout_files import hand_over_payout_file, make_payout_file
from settlements.services.payouts import approve_payouts
from tests.support.reports import IBAN

MAKER = Actor("user", "1", "maker")
CHECKER = Actor("user", "2", "checker")
SHOP_IBAN = "NL91ABNA0417164300"
OTHER_IBAN = "FR1420041010050500013M02606"


def debtor() -> DebtorAccount:
    """Ours at the bank of tests.support.reports, for payouts in euro."""
    account = NamedAccount("Tieout GmbH", IBAN, "BYLADEM1001")
    return define_debtor_account("eur", account, currency="EUR", actor=MAKER)


def bank_account(
    merchant: Merchant, iban: str = SHOP_IBAN, *, holder: str = "Käse & Söhne"
) -> MerchantBankAccount:
    """Where a merchant is paid to in euro, verified."""
    wish = NamedAccount(holder, iban, "")
    asked = ask_for_bank_account(merchant, wish, currency="EUR", actor=MAKER)
    return verify_bank_account(asked, actor=CHECKER)


def approved(payouts: Iterable[Payout]) -> list[Payout]:
    """These payouts, agreed to, of merchants that all have an account to be paid to."""
    payouts = list(payouts)
    for merchant in {payout.merchant for payout in payouts}:
        bank_account(merchant)
    return approve_payouts(payouts, actor=CHECKER).approved


def file_of(
    payouts: Iterable[Payout], *, on: date | None = None, format: str = "pain.001.001.09"
) -> PayoutFile:
    """A file with these approved payouts, which nobody has."""
    return make_payout_file(
        payouts,
        debtor=debtor(),
        execution_on=on or timezone.now().date(),
        format=format,
        actor=MAKER,
    )


def sent(payouts: Iterable[Payout]) -> tuple[PayoutFile, bytes]:
    """These payouts approved and with the bank: the file and its bytes."""
    file = file_of(approved(payouts))
    content = hand_over_payout_file(file, actor=MAKER)
    file.refresh_from_db()
    return file, content
