"""Servers in a directory of their own, a shop, and a person, for every test that asks."""

from tests.support.changes import ann, shop
from tests.support.embedded import folder, instance

__all__ = ["ann", "folder", "instance", "shop"]
