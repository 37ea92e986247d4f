"""The back office, served after a whole business day, and Debian's Chromium to look at it."""

import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.browser.office import Office, open_office
from tests.browser.watch import Watched, watched

CHROMIUM = shutil.which("chromium")
# As root there is no sandbox to be had; the rest keeps the browser from calling its makers.
ARGUMENTS = (
    *("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
)
Desk = Callable[..., Watched]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    if CHROMIUM is None:
        pytest.skip("Browser tests need Chromium (Debian: apt install chromium).")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright, pytest.MonkeyPatch.context() as patch:
        # Playwright runs an event loop in this thread, and Django takes that for a mistake.
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def office(chromium: Any, live_server: Any, clean_redis: None, settings: Any) -> Office:
    settings.SECOND_FACTOR_REQUIRED = True
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    return open_office(live_server.url)


@pytest.fixture
def desk(chromium: Any, office: Office) -> Iterator[Desk]:
    """`desk("maker")` is that person's browser, signed in; `desk()` is nobody's.

    After the test: no page had an error, broke its policy or asked another host for anything.
    """
    opened: list[Watched] = []

    def open_desk(who: str = "", **options: Any) -> Watched:
        browser = watched(chromium, office, **options)
        opened.append(browser)
        if who:
            browser.enter_as(who)
        return browser

    yield open_desk
    troubles = [trouble for browser in opened for trouble in browser.leave()]
    assert troubles == []
