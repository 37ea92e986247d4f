"""Merchants, their API keys, fee plans and wallets."""

import hashlib
import secrets
from collections.abc import Iterable
from datetime import date
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from ledger.entries import AccountRef
from ledger.errors import Conflict, Forbidden, Invalid
from ledger.models import Account
from ledger.money import Money, exponent_of
from ledger.services.accounts import open_account
from ledger.services.posting import post_entry
from payments.bookkeeping import entry_for_wallet_funding, wallet
from payments.models import ApiKey, FeePlan, Merchant
from payments.models.merchants import MERCHANT_CODE

KEY_PREFIX_LENGTH = 8


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


def issue_api_key(
    merchant: Merchant, *, name: str, scopes: Iterable[str], secret: str | None = None
) -> tuple[ApiKey, str]:
    """Create a key and return it with its secret, which is not kept and cannot be shown again.

    A given `secret` (demo only) returns the existing key. Forbidden in production, and so is the
    operator scope: operators are people there.
    """
    scopes = sorted(scopes)
    if settings.IS_PRODUCTION and (secret or ApiKey.Scope.OPERATOR in scopes):
        raise Forbidden("Demo keys and operator keys are not issued in production.")
    raw = secret or f"tk_{secrets.token_urlsafe(32)}"
    key, _ = ApiKey.objects.get_or_create(
        digest=digest_of(raw),
        defaults={
            "merchant": merchant,
            "name": name,
            "prefix": raw[:KEY_PREFIX_LENGTH],
            "scopes": scopes,
        },
    )
    return key, raw


def digest_of(secret: str) -> str:
    """What is stored of an API key: SHA-256, hexadecimal. Keys are random, so no salt is needed."""
    return hashlib.sha256(secret.encode()).hexdigest()


def set_fee_plan(
    merchant: Merchant, *, currency: str, basis_points: int, fixed: int = 0, valid_from: date
) -> FeePlan:
    """Make these the merchant's prices from a day on. Raises FeePlanInUse for other prices."""
    exponent_of(currency)
    plan, created = FeePlan.objects.get_or_create(
        merchant=merchant,
        currency=currency,
        valid_from=valid_from,
        defaults={"basis_points": basis_points, "fixed": fixed},
    )
    if not created and (plan.basis_points, plan.fixed) != (basis_points, fixed):
        raise FeePlanInUse(plan)
    return plan


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


def note_key_use(key: ApiKey) -> None:
    """Remember when a key was last used, to the minute."""
    now = timezone.now()
    if key.last_used_at is None or (now - key.last_used_at).total_seconds() > 60:
        ApiKey.objects.filter(pk=key.pk).update(last_used_at=now)
