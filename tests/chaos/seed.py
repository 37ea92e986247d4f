"""Who takes part: one merchant with a key, two wallets and an endpoint, and a simulated processor.

`python -m tests.chaos.seed` makes them; safe to repeat.
"""

import os

import django

MERCHANT = "chaos-store"
GATEWAY = "simpay"
API_KEY = "key-of-the-chaos-store-in-tests"
WALLETS = ("account-123", "account-456")
CURRENCIES = ("EUR", "USD")
LISTENER_VARIABLE = "CHAOS_LISTENER"  # the URL that events are sent to; unset: nowhere


def seed() -> None:
    from datetime import date

    from ledger.actors import Actor
    from ledger.money import Money
    from payments.models import ApiKey, Gateway
    from payments.services.api_keys import issue_api_key
    from payments.services.gateways import define_gateway
    from payments.services.merchants import open_wallet, register_merchant, set_fee_plan
    from payments.services.webhook_endpoints import EndpointWish, create_endpoint

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
    url = os.environ.get(LISTENER_VARIABLE)
    if url and not merchant.webhook_endpoints.exists():
        create_endpoint(merchant, EndpointWish(url, ["*"]), actor=Actor.system("chaos"))


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    seed()
