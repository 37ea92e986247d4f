"""One event, one line, with the request it belongs to and without card numbers."""

import logging
import re
from contextvars import ContextVar

from ledger import actors
from payments.api.card_data import mask_card_numbers

# What the client calls the request being answered; empty if it did not say.
client_request_id: ContextVar[str] = ContextVar("client_request_id", default="")

_CONTROL = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


class LineFormatter(logging.Formatter):
    """Adds the request's ids; what somebody sent can neither begin a line nor show a card number.

    Tracebacks follow on lines of their own.
    """

    def formatMessage(self, record: logging.LogRecord) -> str:
        # Django logs some answers when the request is over, and says which request it was.
        request = getattr(record, "request", None)
        request_id = actors.request_id.get() or getattr(request, "request_id", "-")
        client = client_request_id.get()
        record.request_id = f"{request_id} client={client}" if client else request_id
        record.message = _CONTROL.sub(_escape, record.message)
        return super().formatMessage(record)

    def format(self, record: logging.LogRecord) -> str:
        return mask_card_numbers(super().format(record))


def _escape(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape").decode("ascii")
