"""Secrets of gateways: from the environment only, named by the gateway's code, never logged."""

import os
import re

from ledger.errors import Conflict
from payments.errors import NoGateway


class GatewaySecretMissing(NoGateway):
    code = "gateway_secret_missing"

    def __init__(self, gateway: str, variable: str) -> None:
        Conflict.__init__(self, f"Gateway {gateway} needs {variable} in the environment.")


def secret_of(gateway: str, name: str) -> str:
    """GATEWAY_<CODE>_<NAME> from the environment. Raises GatewaySecretMissing."""
    value = setting_of(gateway, name)
    if not value:
        raise GatewaySecretMissing(gateway, variable_of(gateway, name))
    return value


def setting_of(gateway: str, name: str) -> str:
    """The same, "" if it is not set."""
    return os.environ.get(variable_of(gateway, name), "").strip()


def variable_of(gateway: str, name: str) -> str:
    """GATEWAY_STRIPE_EU_SECRET_KEY is the SECRET_KEY of the gateway with code `stripe-eu`."""
    return f"GATEWAY_{re.sub('[^A-Z0-9]', '_', gateway.upper())}_{name}"
