"""/metrics, for Prometheus."""

from typing import Any

from django.http import HttpResponse
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.authentication import BaseAuthentication
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.views import APIView

from config.metrics_port import is_token
from config.table_metrics import Recent
from payments import process_metrics
from payments.api.authentication import ApiKeyAuthentication, HasScope, PersonAuthentication
from payments.models import ApiKey


class Scraper:
    """Whoever sends METRICS_TOKEN. Needs no database to be known."""

    is_authenticated = True


class ScraperAuthentication(BaseAuthentication):
    def authenticate(self, request: Request) -> tuple[Scraper, None] | None:
        return (Scraper(), None) if is_token(request.headers.get("Authorization", "")) else None

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class ScraperScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """Documents the token in OpenAPI."""

    target_class = "config.metrics.ScraperAuthentication"
    name = "metricsToken"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "description": "METRICS_TOKEN."}


class TextRenderer(JSONRenderer):
    """For whoever asks for text. Only refusals are rendered, as the problems they always are."""

    media_type = "text/plain"
    format = "text"


class Metrics(APIView):
    """What the processes of this machine have counted and what waits in the tables, as text.

    For keys with the operator scope, and for METRICS_TOKEN. Without a database the figures of the
    tables are missing, and `tieout_tables_read` is 0.
    """

    authentication_classes = [ScraperAuthentication, ApiKeyAuthentication, PersonAuthentication]
    permission_classes = [HasScope]
    scopes = {"GET": ApiKey.Scope.OPERATOR}
    renderer_classes = [TextRenderer]
    recent = Recent()

    @extend_schema(operation_id="get_metrics", responses={(200, "text/plain"): OpenApiTypes.STR})
    def get(self, request: Request) -> HttpResponse:
        text = process_metrics.exposition(*self.recent.get())
        return HttpResponse(text, content_type=process_metrics.CONTENT_TYPE)

    def check_permissions(self, request: Request) -> None:
        if not isinstance(request.user, Scraper):
            super().check_permissions(request)
