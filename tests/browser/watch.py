"""A browser that is watched: whatever its pages complain about or ask other hosts for is kept."""

from typing import Any
from urllib.parse import urlsplit

from tests.browser.office import Office

# Tells the console of what the policy stopped, also where the browser itself says nothing.
REPORT_VIOLATIONS = """
addEventListener("securitypolicyviolation", (event) =>
  console.error(`policy: ${event.violatedDirective} stopped ${event.blockedURI}`));
"""
PATIENCE_MS = 20_000


class Watched:
    """One person's browser. `page` is its only tab."""

    def __init__(self, context: Any, office: Office) -> None:
        self.context = context
        self.office = office
        self.troubles: list[str] = []
        context.set_default_timeout(PATIENCE_MS)
        context.add_init_script(REPORT_VIOLATIONS)
        context.on("console", self._note_console)
        context.on("weberror", lambda error: self.troubles.append(f"script: {error.error}"))
        context.on("request", self._note_request)
        self.page = context.new_page()

    def enter_as(self, who: str) -> None:
        self.context.add_cookies(self.office.cookies_of(who))

    def open(self, path: str) -> Any:
        """The page, once it is there and its own scripts have run."""
        answer = self.page.goto(f"{self.office.url}{path}")
        assert answer.status == 200, f"{path}: {answer.status}"
        return self.page

    def leave(self) -> list[str]:
        """Close everything; returns what was wrong."""
        self.context.close()
        return self.troubles

    def _note_console(self, message: Any) -> None:
        if message.type == "error":
            self.troubles.append(f"console of {message.page.url}: {message.text}")

    def _note_request(self, request: Any) -> None:
        url = urlsplit(request.url)
        if url.scheme not in {"data", "blob"} and f"{url.scheme}://{url.netloc}" != self.office.url:
            self.troubles.append(f"asked another host: {request.url}")


def watched(chromium: Any, office: Office, **options: Any) -> Watched:
    shape = {"viewport": {"width": 1280, "height": 900}, "timezone_id": "Europe/Berlin", **options}
    return Watched(chromium.new_context(**shape), office)
