"""Real servers for every run of the tests, and nothing left running after it."""

import signal
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from config import embedded
from tests.support.application import as_application, granted
from tests.support.books import assert_books_balance
from tests.support.own_names import forget_redis_keys, take_own_names
from tests.support.periods import months, opened
from tests.support.statements import statements

__all__ = ["as_application", "granted", "months", "opened", "statements"]


def pytest_configure(config: pytest.Config) -> None:
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _end_the_run)
    servers = ExitStack()
    try:
        servers.enter_context(embedded.held())
    except embedded.ServersUnavailable as problem:
        pytest.exit(str(problem), returncode=pytest.ExitCode.USAGE_ERROR)
    config.add_cleanup(servers.close)
    if config.pluginmanager.hasplugin("django"):
        config.add_cleanup(take_own_names().close)


def _end_the_run(number: int, _frame: object) -> None:
    # SystemExit would only fail the test that happens to run; this unwinds everything.
    pytest.exit(f"ended by {signal.Signals(number).name}", returncode=128 + number)


@pytest.fixture
def books(db: None) -> Iterator[None]:
    """After the test every entry and every balance must add up."""
    yield
    assert_books_balance()


@pytest.fixture
def clean_redis() -> Iterator[None]:
    """No bell is rung and no message waits, before the test and after it."""
    forget_redis_keys()
    yield
    forget_redis_keys()
