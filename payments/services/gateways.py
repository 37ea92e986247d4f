"""Gateways as configured."""

from ledger.errors import Invalid
from payments.models import Gateway


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
