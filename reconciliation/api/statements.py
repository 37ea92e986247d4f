"""/statements: files of banks and processors, sent by operators and loaded by workers."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.parsers import BaseParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from ledger.money import Money
from payments.api.authentication import HasScope, caller_of
from payments.api.bodies import BodyTooLarge, UnsupportedBody
from payments.api.conventions import AmountText, CurrencyField
from payments.api.pages import PAGE_PARAMETERS, page_of
from payments.api.parameters import choice_of, refuse_others
from payments.models import ApiKey
from reconciliation.continuity import findings_of_file
from reconciliation.models import RejectedLine, Statement, StatementFile
from reconciliation.selectors import source_by_code, statement_file_by_id
from reconciliation.services.receiving import FILE_SIZE_MAX, receive_statement

PIECE_BYTES = 1 << 20
# What a multipart body has beside the file.
ENVELOPE_BYTES_MAX = 64 * 1024
LINES_SHOWN = 100


class RefusalOutput(serializers.Serializer):
    code = serializers.CharField()
    message = serializers.CharField()


class RejectedLineOutput(serializers.Serializer):
    """A line that could not be read; `resolution` is null while it waits for a person."""

    line_no = serializers.IntegerField()
    code = serializers.CharField()
    reason = serializers.CharField()
    resolution = serializers.ChoiceField(RejectedLine.Resolution.choices, allow_null=True)


class FindingOutput(serializers.Serializer):
    """Something that does not fit, in a statement or between it and its neighbours."""

    account = serializers.CharField()
    currency = CurrencyField()
    statement = serializers.CharField()
    code = serializers.CharField()
    message = serializers.CharField()


class StatementOutput(serializers.Serializer):
    """What the file says about one account. Amounts are text in major units."""

    account = serializers.CharField()
    currency = CurrencyField()
    statement = serializers.CharField()
    sequence = serializers.CharField()
    first_day = serializers.DateField()
    last_day = serializers.DateField()
    opening_balance = AmountText(allow_null=True)
    closing_balance = AmountText(allow_null=True)
    lines = serializers.IntegerField()
    known_lines = serializers.IntegerField()


class StatementFileOutput(serializers.Serializer):
    """A file: what became of it, and how far its loading is."""

    id = serializers.CharField()
    source = serializers.CharField()  # type: ignore[assignment]  # a field of ours, not DRF's
    name = serializers.CharField()
    status = serializers.ChoiceField(StatementFile.Status.choices)
    format = serializers.CharField(allow_null=True)
    sha256 = serializers.CharField()
    size = serializers.IntegerField(help_text="Bytes.")
    percent = serializers.IntegerField(help_text="How much of it is read.")
    lines_read = serializers.IntegerField()
    lines = serializers.IntegerField()
    known_lines = serializers.IntegerField(help_text="Brought by earlier files.")
    uncounted_lines = serializers.IntegerField(help_text="Provisional, or details of statements.")
    rejected_lines = serializers.IntegerField()
    refusal = RefusalOutput(allow_null=True)
    channel = serializers.ChoiceField(StatementFile.Channel.choices)
    received_by = serializers.CharField()
    received_at = serializers.DateTimeField()
    loaded_at = serializers.DateTimeField(allow_null=True)


class StatementFileDetailOutput(StatementFileOutput):
    statements = StatementOutput(many=True)
    findings = FindingOutput(many=True)
    rejected = RejectedLineOutput(many=True, help_text=f"The first {LINES_SHOWN}.")
    members = serializers.ListField(
        child=serializers.CharField(), help_text="Ids of the files of an archive."
    )


class StatementFilePage(serializers.Serializer):
    results = StatementFileOutput(many=True)
    next_cursor = serializers.CharField(allow_null=True)
    has_more = serializers.BooleanField()


class StatementUpload(serializers.Serializer):
    source = serializers.CharField(help_text="Its code.")  # type: ignore[assignment]
    file = serializers.FileField()


class RawFileParser(BaseParser):
    """Any body as a file on disk, in pieces."""

    media_type = "*/*"

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> Any:
        # Closed by the view, or when nobody holds it any more.
        spool = tempfile.TemporaryFile()  # noqa: SIM115
        while piece := stream.read(PIECE_BYTES):
            spool.write(piece)
        return spool


class Statements(APIView):
    """Files as they were sent, the newest first."""

    permission_classes = [HasScope]
    scopes = {"GET": ApiKey.Scope.OPERATOR, "POST": ApiKey.Scope.OPERATOR}
    parser_classes = [MultiPartParser, RawFileParser]

    @extend_schema(
        operation_id="list_statement_files",
        parameters=[
            *PAGE_PARAMETERS,
            OpenApiParameter("status", str, enum=StatementFile.Status.values),
            OpenApiParameter("source", str, description="Code of a source."),
        ],
        responses=StatementFilePage,
    )
    def get(self, request: Request) -> Response:
        rows = StatementFile.objects.select_related("source").order_by("-id")
        if status := choice_of(request, "status", StatementFile.Status.values):
            rows = rows.filter(status=status)
        if code := request.query_params.get("source"):
            rows = rows.filter(source__code=code)
        return page_of(rows, request, represent_file, filters={"status", "source"})

    @extend_schema(
        operation_id="send_statement_file",
        description=(
            "The file as it is, with `source` and `name` in the query, or as a form with `source`"
            " and `file`. It is loaded soon; ask for `Location`. The same bytes again are answered"
            " 200 with the first file; a refused file is tried again."
        ),
        parameters=[
            OpenApiParameter("source", str, description="Unless the form has it."),
            OpenApiParameter("name", str, description="The file's name, for people."),
        ],
        request={
            "application/octet-stream": OpenApiTypes.BINARY,
            "multipart/form-data": StatementUpload,
        },
        responses={202: StatementFileDetailOutput, 200: StatementFileDetailOutput},
    )
    def post(self, request: Request) -> Response:
        refuse_others(request, {"source", "name"})
        _check_envelope(request)
        with _content_of(request) as (code, name, content):
            received = receive_statement(
                source_by_code(code),
                content,
                name=name,
                channel=StatementFile.Channel.API,
                actor=caller_of(request).actor,
            )
        file = received.file
        return Response(
            represent_details(file),
            status=200 if received.is_known else 202,
            headers={"Location": f"/api/v1/statements/{file.public_id}"},
        )


class StatementDetail(APIView):
    """One file: how far it is, what it says, and what is wrong with it."""

    permission_classes = [HasScope]
    scopes = {"GET": ApiKey.Scope.OPERATOR}

    @extend_schema(operation_id="get_statement_file", responses=StatementFileDetailOutput)
    def get(self, request: Request, statement_id: str) -> Response:
        return Response(represent_details(statement_file_by_id(statement_id)))


def represent_file(file: StatementFile) -> dict[str, Any]:
    is_refused = file.status == StatementFile.Status.REFUSED
    return {
        "id": file.public_id,
        "source": file.source.code,
        "name": file.name,
        "status": file.status,
        "format": file.format or None,
        "sha256": file.sha256,
        "size": file.size,
        "percent": file.percent,
        "lines_read": file.lines_read,
        "lines": file.line_count,
        "known_lines": file.known_count,
        "uncounted_lines": file.uncounted_count,
        "rejected_lines": file.rejected_count,
        "refusal": {"code": file.refusal_code, "message": file.refusal} if is_refused else None,
        "channel": file.channel,
        "received_by": file.received_by,
        "received_at": file.received_at,
        "loaded_at": file.loaded_at,
    }


def represent_details(file: StatementFile) -> dict[str, Any]:
    statements = file.statements.select_related("source_account").order_by("number", "pk")
    return {
        **represent_file(file),
        "statements": [_represent_statement(statement) for statement in statements],
        "findings": [finding.as_dict() for finding in findings_of_file(file)],
        "rejected": [
            {
                "line_no": line.line_no,
                "code": line.code,
                "reason": line.reason,
                "resolution": line.resolution or None,
            }
            for line in file.rejected.all()[:LINES_SHOWN]
        ],
        "members": [member.file.public_id for member in file.members.select_related("file")],
    }


def _represent_statement(statement: Statement) -> dict[str, Any]:
    account = statement.source_account
    opening, closing = (
        None if balance is None else Money(balance, account.currency).text
        for balance in (statement.opening_balance, statement.closing_balance)
    )
    return {
        "account": account.identifier,
        "currency": account.currency,
        "statement": statement.identifier,
        "sequence": statement.sequence,
        "first_day": statement.first_day,
        "last_day": statement.last_day,
        "opening_balance": opening,
        "closing_balance": closing,
        "lines": statement.line_count,
        "known_lines": statement.known_count,
    }


def _check_envelope(request: Request) -> None:
    """Before anything of the body is read."""
    if int(request.META.get("CONTENT_LENGTH") or 0) > FILE_SIZE_MAX + ENVELOPE_BYTES_MAX:
        raise BodyTooLarge(FILE_SIZE_MAX)
    if request.META.get("HTTP_CONTENT_ENCODING", "identity").lower() != "identity":
        raise UnsupportedBody()


@contextmanager
def _content_of(request: Request) -> Iterator[tuple[str, str, BinaryIO]]:
    """The source's code, the file's name and its bytes."""
    data: Any = request.data
    code = request.query_params.get("source", "")
    name = request.query_params.get("name", "upload")
    if request.content_type.partition(";")[0] == MultiPartParser.media_type:
        upload = request.FILES.get("file")
        code = data.get("source", code)
        if upload is None:
            raise serializers.ValidationError({"file": ["The form has no file."]})
        content: BinaryIO = upload.file
        name = upload.name or name
    else:
        content = data
    if not code:
        raise serializers.ValidationError({"source": ["It names who sent the file."]})
    with content:
        yield code, name, content
