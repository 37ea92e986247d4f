"""SEC-08: what browsers are told with every answer of the API."""

import pytest

from tests.support.api import Api

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("path", ["/payments", "/health", "/no-such-path"])
def test_sec_08_no_browser_guesses_frames_shares_or_remembers(api: Api, path: str) -> None:
    response = api.get(path)

    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["X-Frame-Options"] == "DENY"
    assert response["Referrer-Policy"] == "same-origin"
    assert not response.cookies
    assert [name for name in response.headers if name.startswith("Access-Control-")] == []
