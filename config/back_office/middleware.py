"""What happens to requests of the back office alone."""

from collections.abc import Callable
from urllib.parse import unquote
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

ZONE_COOKIE = "tieout_zone"
BACK_OFFICE = "/admin/"
# unfold's widgets (Alpine) compile expressions of its templates, and set its colours in a style
# element; no script stands in a page, and nothing comes from elsewhere.
CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self' 'unsafe-eval'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    )
)


class BackOfficeMiddleware:
    """Its pages show times in the viewer's zone, and run no script that is not a file of ours."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path.startswith(BACK_OFFICE):
            return self.get_response(request)
        with timezone.override(zone_of(request)):
            response = self.get_response(request)
            response.headers.setdefault("Content-Security-Policy", CONTENT_SECURITY_POLICY)
            return response


def zone_of(request: HttpRequest) -> ZoneInfo:
    """The viewer's, as the browser told it; else the platform's."""
    try:
        return ZoneInfo(unquote(request.COOKIES[ZONE_COOKIE]))
    except (KeyError, ValueError, OSError, ZoneInfoNotFoundError):
        return settings.PLATFORM_ZONE
