"""A shop, passwords that are quickly hashed, and an empty outbox, for every test that asks."""

from tests.support.portal_passwords import no_letter_is_left, quick_passwords, shop

__all__ = ["no_letter_is_left", "quick_passwords", "shop"]
