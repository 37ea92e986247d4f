"""What processors' reports say of the merchant's payments."""

from django.http import HttpRequest, HttpResponse

from config.portal.forms import StatusFilter
from config.portal.listings import listing_of
from config.portal.pages import MemberPage, Scope
from reconciliation.api.results import represent_result
from reconciliation.results import ResultStatus, results_of

# Said in a sentence each: the words of the API are for programs.
MEANINGS = {
    ResultStatus.MATCHED: "The processor reported it as we know it.",
    ResultStatus.SETTLEMENT_PENDING: "Not reported, and not due yet.",
    ResultStatus.MISMATCHED: "Reported with a difference that is being looked into.",
    ResultStatus.MISSING_SETTLEMENT: "Overdue in the processor's report.",
    ResultStatus.DUPLICATE: "The processor reported it twice.",
    ResultStatus.UNEXPECTED: "Reported as paid, and not paid as far as we know.",
}


class Results(MemberPage):
    needs = Scope.REPORTS_READ

    def get(self, request: HttpRequest) -> HttpResponse:
        form = StatusFilter(request.GET, ResultStatus.choices)
        rows = form.filtered(results_of(self.merchant), "result_status")
        listing = listing_of(rows, request, self.visitor)
        shown = [
            represent_result(payment) | {"label": ResultStatus(payment.result_status).label}
            for payment in listing.rows
        ]
        return self.page(
            "reconciliation",
            title="Reconciliation",
            form=form,
            is_filtered=form.is_filtered(),
            listing=listing,
            rows=shown,
            meanings=[(status.label, text) for status, text in MEANINGS.items()],
        )
