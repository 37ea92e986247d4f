"""/settlements/{id}/statement: a batch as a file."""

from typing import Any

from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.request import Request
from rest_framework.views import APIView

from payments.api.authentication import HasScope, caller_of
from payments.api.parameters import choice_of, refuse_others
from payments.models import ApiKey
from settlements.selectors import batch_of
from settlements.statement_files import CONTENT_TYPES, file_name, rendered
from settlements.statements import settlement_statement

# A page of somebody's texts runs nothing and loads nothing.
CONTENT_SECURITY_POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox"


class ByParameter(BaseContentNegotiation):
    """`format` chooses, not Accept; refusals are the problems they always are."""

    def select_renderer(
        self, request: Request, renderers: Any, format_suffix: str | None = None
    ) -> tuple[Any, str]:
        return renderers[0], renderers[0].media_type


class SettlementStatementFile(APIView):
    """The settlement statement of a batch: from the opening balance to the closing one.

    CSV has a row per line, XLSX the totals too, and HTML is a page that prints.
    """

    permission_classes = [HasScope]
    scopes = {"GET": ApiKey.Scope.REPORTS_READ}
    content_negotiation_class = ByParameter

    @extend_schema(
        operation_id="get_settlement_statement",
        parameters=[OpenApiParameter("format", str, enum=list(CONTENT_TYPES), default="csv")],
        responses={
            (200, "text/csv"): OpenApiTypes.STR,
            (200, "text/html"): OpenApiTypes.STR,
            (200, CONTENT_TYPES["xlsx"]): OpenApiTypes.BINARY,
        },
    )
    def get(self, request: Request, settlement_id: str) -> StreamingHttpResponse:
        refuse_others(request, {"format"})
        format = choice_of(request, "format", CONTENT_TYPES) or "csv"
        batch = batch_of(caller_of(request).merchant, settlement_id)
        return StreamingHttpResponse(
            rendered(settlement_statement(batch), format),
            content_type=CONTENT_TYPES[format],
            headers={
                "Content-Disposition": f'attachment; filename="{file_name(batch, format)}"',
                "Content-Security-Policy": CONTENT_SECURITY_POLICY,
            },
        )
