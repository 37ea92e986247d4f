"""Merchants, their fee plans and wallets."""

import string
from dataclasses import dataclass
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.contrib.auth.models import User
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.crypto import get_random_string
from django.utils.text import slugify

from ledger.actors import Actor
from ledger.entries import AccountRef
from ledger.errors import Conflict, Invalid
from ledger.models import Account
from ledger.money import Money, exponent_of
from ledger.services import audit
from ledger.services.accounts import open_account
from ledger.services.posting import post_entry
from payments.bookkeeping import entry_for_wallet_funding, wallet
from payments.errors import EmailTaken, PasswordTooWeak
from payments.models import FeePlan, Merchant, MerchantMember
from payments.models.merchants import MERCHANT_CODE
from payments.services.members import add_member
from payments.services.wallets import create_wallet

CODE_CHARACTERS = string.ascii_lowercase + string.digits
FEE_MAX = 2**31 - 1
CONFIGURATION = str(Actor.system("configuration"))


@dataclass(frozen=True, slots=True)
class SignedUp:
    """A new merchant and its first wallet."""

    merchant: Merchant
    account: Account


class FeePlanInUse(Conflict):
    code = "fee_plan_in_use"

    def __init__(self, plan: FeePlan) -> None:
        super().__init__(
            f"The fee plan {plan} exists with other prices; add one with a later date."
        )


def register_merchant(
    code: str, *, name: str = "", email: str = "", time_zone: str = "UTC"
) -> Merchant:
    """Return the merchant with this code, created or brought up to date.

    `time_zone` is an IANA name; Invalid is raised for any other.
    """
    if not MERCHANT_CODE.match(code) or len(code) > 40:
        raise Invalid(f"{code[:60]!r} is no code of a merchant: letters, digits, _ . - only.")
    try:
        ZoneInfo(time_zone)
    except (ZoneInfoNotFoundError, ValueError):
        raise Invalid(f"{time_zone!r} is no IANA time zone.") from None
    merchant, _ = Merchant.objects.update_or_create(
        code=code, defaults={"name": name or code, "email": email, "time_zone": time_zone}
    )
    return merchant


@transaction.atomic
def sign_up(*, name: str, email: str, password: str, currency: str) -> SignedUp:
    """A new merchant, its owner, who logs in with e-mail and password, and a first wallet.

    Raises EmailTaken, PasswordTooWeak and Invalid for a currency there is not.
    """
    email = email.lower()
    user = User(username=email, email=email)
    try:
        validate_password(password, user)
    except ValidationError as weak:
        raise PasswordTooWeak(weak.messages) from None
    user.set_password(password)
    try:
        with transaction.atomic():
            user.save(force_insert=True)
    except IntegrityError:
        raise EmailTaken() from None
    merchant = register_merchant(_new_code(name), name=name, email=email)
    actor = Actor.user(user)
    audit.record(
        "merchant.signed_up", merchant.public_id, actor=actor, after={"name": name, "email": email}
    )
    add_member(merchant, user, role=MerchantMember.Role.OWNER, actor=actor)
    account = create_wallet(
        merchant, name="Wallet", currency=currency, actor=actor, code=f"wallet-{currency.lower()}"
    )
    return SignedUp(merchant, account)


def _new_code(name: str) -> str:
    """A code from the name. Its random end keeps it from being one that configuration or another
    system's history names, which would hand that merchant's payments to whoever signed up first.
    """
    return f"{slugify(name)[:20].strip('-') or 'merchant'}-{get_random_string(8, CODE_CHARACTERS)}"


@transaction.atomic
def set_fee_plan(
    merchant: Merchant,
    *,
    currency: str,
    basis_points: int,
    valid_from: date,
    fixed: int = 0,
    method: str = "",
    minimum: int = 0,
    maximum: int | None = None,
    refund_policy: str = FeePlan.RefundPolicy.NONE,
    dispute_fee: int = 0,
    set_by: str = CONFIGURATION,
    reason: str = "",
) -> FeePlan:
    """Make these the merchant's prices from a day on; amounts are minor units.

    Prices of a day to come are replaced. Raises FeePlanInUse for other prices of a day that has
    begun, and Invalid for prices that make no sense.
    """
    exponent_of(currency)
    prices: dict[str, Any] = {
        "basis_points": basis_points,
        "fixed": fixed,
        "minimum": minimum,
        "maximum": maximum,
        "refund_policy": refund_policy,
        "dispute_fee": dispute_fee,
    }
    _check_prices(**prices)
    key = {"currency": currency, "method": method, "valid_from": valid_from}
    why = {"set_by": set_by, "reason": reason}
    plan, is_new = FeePlan.objects.get_or_create(merchant=merchant, **key, defaults=prices | why)
    if is_new or all(getattr(plan, name) == value for name, value in prices.items()):
        return plan
    if valid_from <= timezone.now().date():
        raise FeePlanInUse(plan)
    plan.delete()
    return FeePlan.objects.create(merchant=merchant, **key, **prices, **why)


def _check_prices(
    *,
    basis_points: int,
    fixed: int,
    minimum: int,
    maximum: int | None,
    refund_policy: str,
    dispute_fee: int,
) -> None:
    if not 0 <= basis_points <= 10_000:
        raise Invalid(f"basis_points is {basis_points}; 0 to 10000 is possible.")
    amounts = {"fixed": fixed, "minimum": minimum, "dispute_fee": dispute_fee}
    for name, amount in (amounts | {"maximum": maximum or 0}).items():
        if not 0 <= amount <= FEE_MAX:
            raise Invalid(f"{name} is {amount}; 0 to {FEE_MAX} minor units are possible.")
    if maximum is not None and maximum < minimum:
        raise Invalid(f"The maximum, {maximum}, is less than the minimum, {minimum}.")
    if refund_policy not in FeePlan.RefundPolicy.values:
        known = ", ".join(FeePlan.RefundPolicy.values)
        raise Invalid(f"refund_policy {refund_policy!r} is none of {known}.")


@transaction.atomic
def open_wallet(merchant: Merchant, *, code: str, currency: str, funded: Money | None) -> Account:
    """Open a merchant's own account; `funded` is its opening balance, posted once."""
    ref: AccountRef = wallet(merchant, code, currency)
    account = open_account(ref)
    if funded:
        post_entry(
            entry_for_wallet_funding(
                ref,
                funded,
                key=f"funding:{account.public_id}",
                effective_at=account.created_at,
            )
        )
    return account
