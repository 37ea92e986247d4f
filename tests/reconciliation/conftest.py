"""A processor and a bank that report, for every test that asks."""

from tests.support.reports import processor, sources

__all__ = ["processor", "sources"]
