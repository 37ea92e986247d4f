"""Who takes part in the demo. Refused in production."""

from pathlib import Path

from django.conf import settings
from django.contrib.auth.models import Group, User
from django.db import transaction

from config.configuration import load_configuration
from config.people.roles import Role
from ledger.actors import Actor
from ledger.errors import Forbidden
from ledger.money import Money
from payments.models import ApiKey, Merchant, MerchantMember
from payments.services.api_keys import issue_api_key
from payments.services.members import add_member
from payments.services.merchants import open_wallet
from settlements.rails.simulated_bank import BankAccount

DEMO_KEY = "demo-token-for-testing"
DEMO_MERCHANT = "demo-store"
PASSWORD = "tieout-demo"
OPERATORS: dict[str, tuple[Role, ...]] = {
    "maker@example.com": (Role.MAKER,),
    "checker@example.com": (Role.CHECKER, Role.CONTROLLER),
    "auditor@example.com": (Role.AUDITOR,),
    "security@example.com": (Role.SECURITY,),
}
# Signs in to the demo merchant's own pages.
OWNER = "owner@demo-store.example"
BANK_ACCOUNTS = (
    BankAccount("DE02120300000000202051", "EUR", Money(2_500_000, "EUR")),
    BankAccount("GB33BUKB20201555555555", "USD", Money(1_000_000, "USD")),
    BankAccount("CH5604835012345678009", "JPY", Money(3_000_000, "JPY")),
)
# Which merchant sells in which currency.
MARKETS = (
    ("demo-store", "USD"),
    ("demo-store", "EUR"),
    ("bike-shop", "EUR"),
    ("tea-house", "EUR"),
    ("tea-house", "JPY"),
)


class RefusedInProduction(Forbidden):
    code = "refused_in_production"

    def __init__(self) -> None:
        super().__init__("Demo data is never created where TIEOUT_ENV is production.")


@transaction.atomic
def seed_demo() -> None:
    """The demo's merchants, keys, wallets, gateway, sources and operators exist. Safe to repeat."""
    if settings.IS_PRODUCTION:
        raise RefusedInProduction()
    load_configuration((Path(__file__).parent / "demo.toml").read_text())
    merchant = Merchant.objects.get(code=DEMO_MERCHANT)
    issue_api_key(merchant, name="Demo key", scopes=ApiKey.Scope.values, secret=DEMO_KEY)
    open_wallet(merchant, code="account-123", currency="USD", funded=Money(1_000_000, "USD"))
    open_wallet(merchant, code="account-456", currency="USD", funded=None)
    _operators()
    _owner(merchant)


def keys_for_a_day() -> dict[str, str]:
    """An API key per merchant code; the demo merchant's is the well-known one."""
    keys = {DEMO_MERCHANT: DEMO_KEY}
    for merchant in Merchant.objects.filter(code__in={code for code, _ in MARKETS} - set(keys)):
        _, secret = issue_api_key(
            merchant,
            name="Demo day",
            scopes=[
                ApiKey.Scope.PAYMENTS_READ,
                ApiKey.Scope.PAYMENTS_WRITE,
                ApiKey.Scope.REFUNDS_WRITE,
            ],
        )
        keys[merchant.code] = secret
    return keys


def _operators() -> None:
    """People of the back office, who change things by services only, some together."""
    for email, roles in OPERATORS.items():
        user = _person(email, is_staff=True)
        user.groups.set(Group.objects.filter(name__in=roles))
        # Earlier releases gave the demo's people permissions of their own.
        user.user_permissions.clear()


def _owner(merchant: Merchant) -> None:
    user = _person(OWNER, is_staff=False)
    if not MerchantMember.objects.filter(merchant=merchant, user=user).exists():
        role = MerchantMember.Role.OWNER
        add_member(merchant, user, role=role, actor=Actor.system("demo"))


def _person(email: str, *, is_staff: bool) -> User:
    user, is_new = User.objects.get_or_create(
        username=email, defaults={"email": email, "is_staff": is_staff}
    )
    if is_new:
        user.set_password(PASSWORD)
        user.save(update_fields=["password"])
    return user
