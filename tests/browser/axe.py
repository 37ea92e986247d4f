"""What axe-core finds on a page, and the screens it is looked at on."""

from typing import Any

SERIOUS = {"serious", "critical"}
DESK, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}


def troubles(page: Any) -> list[str]:
    """Each serious or critical finding."""
    from axe_playwright_python.sync_playwright import Axe

    response = Axe().run(page, options={"resultTypes": ["violations"]}).response
    assert "color-contrast" in {rule["id"] for rule in response["passes"]}
    return [
        f"{rule['id']}: {node['html'][:200]}"
        for rule in response["violations"]
        if rule["impact"] in SERIOUS
        for node in rule["nodes"]
    ]
