"""One event, one line, with the request it belongs to and without card numbers.

Fields that a call passes as `extra` come out by their names: behind the message of a line, or as
members of the JSON object.
"""

import json
import logging
import math
import re
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

from django.conf import settings

from ledger import actors
from payments.api.card_data import mask_card_numbers

# What the client calls the request being answered; empty if it did not say.
client_request_id: ContextVar[str] = ContextVar("client_request_id", default="")

# By the value of LOG_FORMAT, as logging.config.dictConfig takes them.
FORMATTERS: dict[str, Any] = {
    "line": {
        "()": "config.logs.LineFormatter",
        "format": "%(asctime)s %(levelname)s %(name)s %(request_id)s %(message)s",
    },
    "json": {"()": "config.logs.JsonFormatter"},
}
_CONTROL = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_OF_EVERY_RECORD = frozenset(
    {*logging.makeLogRecord({}).__dict__, "asctime", "message", "request_id", "taskName"}
)


def chosen_formatter() -> logging.Formatter:
    """For programs that log before they load ours: the formatter LOG_FORMAT names."""
    if settings.LOG_FORMAT == "json":
        return JsonFormatter()
    return LineFormatter(FORMATTERS["line"]["format"])


class LineFormatter(logging.Formatter):
    """Adds the request's ids; what somebody sent can neither begin a line nor show a card number.

    Tracebacks follow on lines of their own.
    """

    def formatMessage(self, record: logging.LogRecord) -> str:
        client = client_request_id.get()
        request_id = _request_id_of(record) or "-"
        record.request_id = f"{request_id} client={client}" if client else request_id
        said = [record.message, *(f"{name}={_text(value)}" for name, value in _extras(record))]
        record.message = _CONTROL.sub(_escape, " ".join(said))
        return super().formatMessage(record)

    def format(self, record: logging.LogRecord) -> str:
        return mask_card_numbers(super().format(record))


class JsonFormatter(logging.Formatter):
    """One JSON object per event, in ASCII: nothing that somebody sent can end it or its line.

    `time` is UTC, `exception` is the whole traceback.
    """

    def format(self, record: logging.LogRecord) -> str:
        moment = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        event: dict[str, Any] = {
            "time": moment.replace("+00:00", "Z"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            "request_id": _request_id_of(record) or None,
        }
        if client := client_request_id.get():
            event["client_request_id"] = client
        for name, value in _extras(record):
            event.setdefault(name, value)
        if record.exc_info:
            event["exception"] = self.formatException(record.exc_info)
        elif record.exc_text:
            event["exception"] = record.exc_text
        if record.stack_info:
            event["stack"] = self.formatStack(record.stack_info)
        masked = {_masked(name): _masked(value) for name, value in event.items()}
        # The one control character that JSON leaves as it is.
        return json.dumps(masked, default=str, allow_nan=False).replace("\x7f", r"\u007f")


def _request_id_of(record: logging.LogRecord) -> str:
    # Django logs some answers when the request is over, and says which request it was.
    request = getattr(record, "request", None)
    return actors.request_id.get() or str(getattr(request, "request_id", ""))


def _extras(record: logging.LogRecord) -> list[tuple[str, Any]]:
    """What the call passed as `extra`, where it is plain: texts, numbers, and lists of them."""
    return [
        (name, value)
        for name, value in record.__dict__.items()
        if name not in _OF_EVERY_RECORD and _is_plain(value)
    ]


def _is_plain(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return all(isinstance(each, str | int | float | None) for each in value)
    return isinstance(value, str | int | float | None)


def _text(value: Any) -> str:
    """As one word."""
    text = str(value)
    return json.dumps(text, ensure_ascii=False) if re.search(r"\s|^$", text) else text


def _masked(value: Any) -> Any:
    """Masked as the text it would be; numbers stay numbers if they may be shown."""
    match value:
        case list() | tuple():
            return [_masked(each) for each in value]
        case str():
            return mask_card_numbers(value)
        case bool() | None:
            return value
        case float() if not math.isfinite(value):
            return str(value)
    text = mask_card_numbers(str(value))
    return value if text == str(value) else text


def _escape(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape").decode("ascii")
