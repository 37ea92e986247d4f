"""A processor on this machine for every test that asks for it."""

from tests.support.stripe_server import stripe_server

__all__ = ["stripe_server"]
