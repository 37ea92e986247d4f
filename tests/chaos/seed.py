"""Who takes part: one merchant with a key and two wallets, and the simulated processor.

`python -m tests.chaos.seed` makes them; safe to repeat.
"""

import os

import django

MERCHANT = "chaos-store"
GATEWAY = "simpay"
API_KEY = "key-of-the-chaos-store-in-tests"
WALLETS = ("account-123", "account-456")
CURRENCIES = ("EUR", "USD")


def seed() -> None:
    from datetime import date

    from ledger.money import Money
    from payments.models import ApiKey, Gateway
    from payments.services.api_keys import issue_api_key
    from payments.services.gateways import define_gateway
    from payments.services.merchants import open_wallet, register_merchant, set_fee_plan

    define_gateway(
        code=GATEWAY, adapter=Gateway.Adapter.SIMULATOR, fee_basis_points=140, fee_fixed=25
    )
    merchant = register_merchant(code=MERCHANT)
    for currency in CURRENCIES:
        set_fee_plan(
            merchant, currency=currency, basis_points=290, fixed=30, valid_from=date(2020, 1, 1)
        )
    issue_api_key(merchant, name="chaos", scopes=ApiKey.Scope.values, secret=API_KEY)
    for code in WALLETS:
        open_wallet(merchant, code=code, currency="USD", funded=Money(1_000_000, "USD"))


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    seed()
