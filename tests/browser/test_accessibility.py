"""axe-core finds nothing serious or critical on the main pages."""

from tests.browser.axe import DESK, PHONE, troubles
from tests.browser.conftest import Desk
from tests.browser.pages import main_pages


def test_axe_finds_nothing_serious_on_a_desk_in_light_and_on_a_phone_in_dark(desk: Desk) -> None:
    light, dark = desk("maker", viewport=DESK), desk("maker", viewport=PHONE, color_scheme="dark")

    found = [
        f"{name}, {'phone' if browser is dark else 'desk'}: {trouble}"
        for name, path in main_pages().items()
        for browser in (light, dark)
        for trouble in troubles(browser.open(path))
    ]

    assert light.page.locator("html.dark").count() == 0
    assert dark.page.locator("html.dark").count() == 1
    assert found == []
