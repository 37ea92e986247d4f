"""axe-core finds nothing serious or critical on the main pages."""

from typing import Any

from tests.browser.conftest import Desk
from tests.browser.pages import main_pages

SERIOUS = {"serious", "critical"}
DESK, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}


def test_axe_finds_nothing_serious_on_a_desk_in_light_and_on_a_phone_in_dark(desk: Desk) -> None:
    light, dark = desk("maker", viewport=DESK), desk("maker", viewport=PHONE, color_scheme="dark")

    found = [
        f"{name}, {'phone' if browser is dark else 'desk'}: {trouble}"
        for name, path in main_pages().items()
        for browser in (light, dark)
        for trouble in _troubles(browser.open(path))
    ]

    assert light.page.locator("html.dark").count() == 0
    assert dark.page.locator("html.dark").count() == 1
    assert found == []


def _troubles(page: Any) -> list[str]:
    from axe_playwright_python.sync_playwright import Axe

    response = Axe().run(page, options={"resultTypes": ["violations"]}).response
    assert "color-contrast" in {rule["id"] for rule in response["passes"]}
    return [
        f"{rule['id']}: {node['html'][:200]}"
        for rule in response["violations"]
        if rule["impact"] in SERIOUS
        for node in rule["nodes"]
    ]
