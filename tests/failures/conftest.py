"""A shop that receives events, and a clock that is moved by hand, for every test that asks."""

from tests.support.deliveries import clock, shop

__all__ = ["clock", "shop"]
