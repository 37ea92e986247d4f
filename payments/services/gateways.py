"""Gateways as configured."""

from ledger.errors import Invalid
from payments.errors import NoGateway
from payments.models import Gateway, Merchant


def define_gateway(
    code: str,
    *,
    name: str = "",
    adapter: str = Gateway.Adapter.NONE,
    fee_basis_points: int = 0,
    fee_fixed: int = 0,
    settlement_days: int = 2,
) -> Gateway:
    """Create the gateway with this code or bring it up to date. Raises Invalid."""
    if adapter not in Gateway.Adapter.values:
        raise Invalid(f"Gateway {code}: {adapter!r} is no adapter we have.")
    if min(fee_basis_points, fee_fixed, settlement_days) < 0:
        raise Invalid(f"Gateway {code}: fees and days are not negative.")
    gateway, _ = Gateway.objects.update_or_create(
        code=code,
        defaults={
            "name": name or code,
            "adapter": adapter,
            "fee_basis_points": fee_basis_points,
            "fee_fixed": fee_fixed,
            "settlement_days": settlement_days,
        },
    )
    return gateway


def choose_gateway(merchant: Merchant, code: str) -> None:
    """Let this gateway take the merchant's new payments; "": the first one that can.

    Raises Invalid for a gateway that is not configured or takes no payments.
    """
    gateway = Gateway.objects.exclude(adapter=Gateway.Adapter.NONE).filter(code=code).first()
    if code and gateway is None:
        raise Invalid(f"Merchant {merchant}: no gateway {code!r} takes payments.")
    merchant.gateway = gateway
    merchant.save(update_fields=["gateway"])


def gateway_for(merchant: Merchant) -> Gateway:
    """The gateway that takes this merchant's payments. Raises NoGateway if there is none."""
    if merchant.gateway is not None:
        if merchant.gateway.adapter == Gateway.Adapter.NONE:
            raise NoGateway()
        return merchant.gateway
    gateway = Gateway.objects.exclude(adapter=Gateway.Adapter.NONE).order_by("pk").first()
    if gateway is None:
        raise NoGateway()
    return gateway
