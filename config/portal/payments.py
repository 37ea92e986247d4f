"""Payments: the list, one of them with all that became of it, and new ones for trying things out.

What is shown of the ledger are the merchant's own accounts: what processors cost us is not theirs.
"""

from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from config.portal.forms import PaymentFilters, TestPaymentForm
from config.portal.listings import CURSOR, listing_of
from config.portal.once import Done, done_once
from config.portal.pages import MemberPage, Scope
from ledger.errors import Conflict
from ledger.models import Posting
from payments import doorbell
from payments.errors import NoGateway
from payments.models import Gateway, Merchant, Payment
from payments.representations import represent_payment
from payments.selectors import disputes_of, payment_of, payments_of, refunds_of
from payments.services.gateways import gateway_for
from payments.services.idempotency import RequestInFlight
from payments.services.payments import CREATE_PAYMENT, create_payment
from reconciliation.results import ResultStatus, discrepancies_of, results_of
from settlements.models import Settlement


class NotForTests(Conflict):
    code = "not_for_tests"

    def __init__(self) -> None:
        super().__init__(
            "Test payments are for merchants whose payments go to the simulator; yours would be"
            " real."
        )


class Payments(MemberPage):
    needs = Scope.PAYMENTS_READ

    def get(self, request: HttpRequest) -> HttpResponse:
        form = PaymentFilters(request.GET, zone=self.merchant.zone)
        rows = payments_of(self.merchant)
        # A filter that cannot be read must not show what it was to leave out.
        rows = rows.filter(form.condition()) if form.is_valid() else rows.none()
        query = request.GET.copy()
        query.pop(CURSOR, None)
        return self.page(
            "payments",
            title="Payments",
            form=form,
            is_filtered=form.is_filtered(),
            file_query=query.urlencode(),
            listing=listing_of(rows, request, self.visitor),
            may_test=Scope.PAYMENTS_WRITE in self.visitor.scopes and takes_tests(self.merchant),
        )


class PaymentDetail(MemberPage):
    needs = Scope.PAYMENTS_READ

    def get(self, request: HttpRequest, payment_id: str) -> HttpResponse:
        payment = payment_of(self.merchant, payment_id)
        refunds = list(refunds_of(self.merchant).filter(payment=payment))
        disputes = list(disputes_of(self.merchant).filter(payment=payment))
        about = [payment.public_id]
        about += [refund.public_id for refund in refunds]
        about += [dispute.public_id for dispute in disputes]
        is_left = payment.status == Payment.Status.SUCCEEDED and bool(payment.refundable)
        context: dict[str, Any] = {
            "may_refund": is_left and Scope.REFUNDS_WRITE in self.visitor.scopes,
            "is_working": payment.due_at or any(refund.due_at for refund in refunds),
            "title": f"Payment {payment.public_id}",
            "payment": payment,
            "shown": represent_payment(payment),
            "refunds": refunds,
            "disputes": disputes,
            "postings": own_postings(self.merchant, about),
        }
        if Scope.REPORTS_READ in self.visitor.scopes:
            context["reports"] = _reports(self.merchant, payment)
        return self.page("payment", **context)


@dataclass(frozen=True, slots=True)
class Reports:
    """What reports say of a payment: the batches it is in and what its processor told."""

    lines: list[Settlement]
    result: ResultStatus | None
    discrepancies: list[Any]


def _reports(merchant: Merchant, payment: Payment) -> Reports:
    lines = Settlement.objects.filter(batch__merchant=merchant, payment=payment)
    found = results_of(merchant).filter(pk=payment.pk).first()
    return Reports(
        lines=list(lines.select_related("batch")),
        result=ResultStatus(found.result_status) if found else None,
        discrepancies=list(discrepancies_of(merchant).filter(payment=payment)),
    )


def own_postings(merchant: Merchant, references: list[str]) -> list[Posting]:
    """What entries about these things moved on the merchant's own accounts, oldest first."""
    rows = Posting.objects.filter(
        entry__reference__in=references, account__owner=merchant.public_id
    )
    return list(rows.select_related("entry", "account").order_by("entry_id", "position"))


def takes_tests(merchant: Merchant) -> bool:
    """Whether a payment of this merchant is nobody's money.

    In production only where somebody chose the simulator for the merchant, not where it is merely
    the first gateway there is.
    """
    if settings.IS_PRODUCTION and merchant.gateway is None:
        return False
    try:
        return gateway_for(merchant).adapter == Gateway.Adapter.SIMULATOR
    except NoGateway:
        return False


class NewPayment(MemberPage):
    """A payment through the same service as the API; a form that comes twice makes one."""

    needs = Scope.PAYMENTS_WRITE

    def get(self, request: HttpRequest) -> HttpResponse:
        self._check()
        return self._form(TestPaymentForm(self.merchant, initial={"idempotency_key": uuid4().hex}))

    def post(self, request: HttpRequest) -> HttpResponse:
        self._check()
        form = TestPaymentForm(self.merchant, request.POST)
        if not form.is_valid():
            return self._form(form)

        def work() -> Done:
            payment = create_payment(
                self.merchant, form.wish(), idempotency_key=form.key, actor=self.visitor.actor
            )
            page = reverse("portal:payment", args=[payment.public_id])
            return Done(represent_payment(payment), page)

        try:
            page = done_once(
                request,
                self.merchant,
                route=CREATE_PAYMENT,
                key=form.key,
                said=form.said(),
                kind=doorbell.Kind.PAYMENTS,
                work=work,
            )
        except RequestInFlight:  # the first of two clicks is at it
            page = reverse("portal:payments")
        return HttpResponseRedirect(page)

    def _check(self) -> None:
        if not takes_tests(self.merchant):
            raise NotForTests()

    def _form(self, form: TestPaymentForm) -> HttpResponse:
        return self.page("new_payment", title="New test payment", form=form)
