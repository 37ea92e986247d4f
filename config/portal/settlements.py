"""What the merchant was settled and paid, and the statements to download."""

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse

from config.portal.forms import StatusFilter
from config.portal.listings import listing_of
from config.portal.pages import MemberPage, NoSuchPage, Scope
from ledger.services import audit
from payments.models import Payment
from settlements.api.statements import CONTENT_SECURITY_POLICY
from settlements.models import Payout, Settlement, SettlementBatch
from settlements.representations import represent_batch, represent_line, represent_payout
from settlements.selectors import batch_of, batches_of, lines_of, payout_of, payouts_of
from settlements.statement_files import CONTENT_TYPES, file_name, rendered
from settlements.statements import settlement_statement


class Settlements(MemberPage):
    needs = Scope.REPORTS_READ

    def get(self, request: HttpRequest) -> HttpResponse:
        form = StatusFilter(request.GET, SettlementBatch.Status.choices)
        rows = form.filtered(batches_of(self.merchant))
        listing = listing_of(rows, request, self.visitor)
        shown = [represent_batch(batch) for batch in listing.rows]
        return self.page(
            "settlements",
            title="Settlements",
            form=form,
            is_filtered=form.is_filtered(),
            listing=listing,
            rows=shown,
        )


class SettlementDetail(MemberPage):
    needs = Scope.REPORTS_READ

    def get(self, request: HttpRequest, settlement_id: str) -> HttpResponse:
        batch = batch_of(self.merchant, settlement_id)
        listing = listing_of(lines_of(batch), request, self.visitor)
        lines = [
            represent_line(line) | {"label": _label(line), "about": _payment_of(line)}
            for line in listing.rows
        ]
        return self.page(
            "settlement",
            title=f"Settlement of {batch.period} in {batch.currency}",
            batch=batch,
            statement=settlement_statement(batch),
            payouts=sorted(batch.payouts.all(), key=lambda payout: -payout.pk),
            listing=listing,
            lines=lines,
            formats=list(CONTENT_TYPES),
        )


def _label(line: Settlement) -> str:
    return str(line.kind).replace("_", " ").capitalize()


def _payment_of(line: Settlement) -> Payment | None:
    """The payment that a line is about in the end; None for reserves and adjustments."""
    subject = line.refund or line.dispute or line.won_dispute
    return subject.payment if subject else line.payment


class Statement(MemberPage):
    """The statement of a settlement as a file; as HTML it is a page that prints."""

    needs = Scope.REPORTS_READ

    def get(
        self, request: HttpRequest, settlement_id: str, format: str
    ) -> HttpResponse | StreamingHttpResponse:
        batch = batch_of(self.merchant, settlement_id)
        if format not in CONTENT_TYPES:
            raise NoSuchPage()
        name = file_name(batch, format)
        audit.record(
            "file.exported",
            name[:80],
            actor=self.visitor.actor,
            after={"page": "portal:statement", "merchant": self.merchant.public_id},
        )
        how = "inline" if format == "html" else "attachment"
        return StreamingHttpResponse(
            rendered(settlement_statement(batch), format),
            content_type=CONTENT_TYPES[format],
            headers={
                "Content-Disposition": f'{how}; filename="{name}"',
                "Content-Security-Policy": CONTENT_SECURITY_POLICY,
            },
        )


class Payouts(MemberPage):
    needs = Scope.REPORTS_READ

    def get(self, request: HttpRequest) -> HttpResponse:
        form = StatusFilter(request.GET, Payout.Status.choices)
        rows = form.filtered(payouts_of(self.merchant))
        return self.page(
            "payouts",
            title="Payouts",
            form=form,
            is_filtered=form.is_filtered(),
            listing=listing_of(rows, request, self.visitor),
        )


class PayoutDetail(MemberPage):
    needs = Scope.REPORTS_READ

    def get(self, request: HttpRequest, payout_id: str) -> HttpResponse:
        payout = payout_of(self.merchant, payout_id)
        return self.page(
            "payout",
            title=f"Payout {payout.public_id}",
            payout=payout,
            shown=represent_payout(payout),
        )
