"""A processor on this machine for every test that asks for it."""

from tests.support.gateway_news import shop
from tests.support.stripe_server import stripe_server

__all__ = ["shop", "stripe_server"]
