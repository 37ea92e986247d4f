"""A gateway that another system took payments through, for every test that asks."""

from tests.support.histories import spay

__all__ = ["spay"]
