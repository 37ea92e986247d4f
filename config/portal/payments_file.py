"""The list of payments, with its filters, as a file."""

from collections.abc import Iterator
from datetime import UTC, datetime

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils import timezone

from config.portal.forms import PaymentFilters
from config.portal.pages import MemberPage, Scope
from ledger.admin.downloads import download
from ledger.errors import Invalid
from ledger.money import Money
from ledger.services import audit
from payments.models import Payment
from payments.selectors import payments_of

ROWS_MAX = 100_000
ROWS_AT_ONCE = 2_000
COLUMNS = (
    *("id", "reference", "status", "amount", "amount_captured", "amount_refunded", "fee"),
    *("currency", "capture", "source", "description", "failure_code", "failure_reason"),
    *("created_by", "created_at", "effective_at"),
)


class TooManyRows(Invalid):
    code = "too_many_rows"

    def __init__(self) -> None:
        super().__init__(
            f"These are more than {ROWS_MAX:,} payments; choose fewer days and load them in parts."
        )


class PaymentsFile(MemberPage):
    """All payments that the filters choose, newest first, amounts in major units, times in UTC.

    A file is whole, or there is none: of more than ROWS_MAX nothing is sent.
    """

    needs = Scope.PAYMENTS_READ

    def get(self, request: HttpRequest) -> HttpResponseBase:
        form = PaymentFilters(request.GET, zone=self.merchant.zone)
        if not form.is_valid():  # the list says what is wrong
            return HttpResponseRedirect(f"{reverse('portal:payments')}?{request.GET.urlencode()}")
        rows = payments_of(self.merchant).filter(form.condition())
        if rows[ROWS_MAX : ROWS_MAX + 1].exists():
            raise TooManyRows()
        name = f"payments-{self.merchant.code}-{timezone.now():%Y-%m-%d}"
        audit.record(
            "file.exported",
            f"{name}.csv",
            actor=self.visitor.actor,
            after={"page": "portal:payments_file", "merchant": self.merchant.public_id},
        )
        return download(name, COLUMNS, _rows(rows), "csv")


def _rows(payments: QuerySet[Payment]) -> Iterator[list[object]]:
    for payment in payments.iterator(chunk_size=ROWS_AT_ONCE):
        yield [
            payment.public_id,
            payment.reference,
            payment.status,
            payment.money,
            payment.captured_money,
            Money(payment.amount_refunded, payment.currency),
            payment.fee_money,
            payment.currency,
            payment.capture,
            payment.source,
            payment.description,
            payment.failure_code,
            payment.failure_reason,
            payment.created_by,
            _utc(payment.created_at),
            _utc(payment.effective_at),
        ]


def _utc(moment: datetime | None) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z") if moment else ""
