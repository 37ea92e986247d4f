"""A data directory with servers of its own, for every test that asks."""

from tests.support.embedded import folder, instance

__all__ = ["folder", "instance"]
