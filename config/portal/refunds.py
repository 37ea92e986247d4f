"""Money given back: asked for on a page of its own, watched on the page of its payment."""

from uuid import uuid4

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from config.portal.forms import RefundForm
from config.portal.once import Done, done_once
from config.portal.pages import MemberPage, Scope
from ledger.errors import Conflict
from payments import doorbell
from payments.errors import PaymentNotRefundable, ReferenceTaken, RefundExceedsPayment
from payments.models import Payment
from payments.representations import represent_refund
from payments.selectors import payment_of
from payments.services.idempotency import RequestInFlight
from payments.services.refunds import create_refund


class NothingLeft(Conflict):
    code = "nothing_left_to_refund"

    def __init__(self, payment: Payment) -> None:
        super().__init__(f"All of {payment} is given back already, or on its way.")


class NewRefund(MemberPage):
    """A refund through the same service as the API; a form that comes twice makes one."""

    needs = Scope.REFUNDS_WRITE

    def get(self, request: HttpRequest, payment_id: str) -> HttpResponse:
        payment = payment_of(self.merchant, payment_id)
        if payment.status != Payment.Status.SUCCEEDED:
            raise PaymentNotRefundable(payment, payment.status)
        if not payment.refundable:
            raise NothingLeft(payment)
        start = {"idempotency_key": uuid4().hex, "amount": payment.refundable.text}
        return self._form(payment, RefundForm(payment, initial=start))

    def post(self, request: HttpRequest, payment_id: str) -> HttpResponse:
        payment = payment_of(self.merchant, payment_id)
        form = RefundForm(payment, request.POST)
        if not form.is_valid():
            return self._form(payment, form)
        try:
            self._refund(payment, form)
        except RefundExceedsPayment:
            payment.refresh_from_db()  # perhaps more was left when it was read
            form.add_error("amount", f"{payment.refundable} is left to refund.")
        except ReferenceTaken as refusal:
            form.add_error("reference", refusal.message)
        except RequestInFlight:
            pass  # the first of two clicks is at it
        if not form.is_valid():
            return self._form(payment, form)
        messages.success(request, f"A refund of {form.wish().money} is on its way.")
        return HttpResponseRedirect(reverse("portal:payment", args=[payment.public_id]))

    def _refund(self, payment: Payment, form: RefundForm) -> None:
        def work() -> Done:
            refund = create_refund(
                payment, form.wish(), idempotency_key=form.key, actor=self.visitor.actor
            )
            page = reverse("portal:payment", args=[payment.public_id])
            return Done(represent_refund(refund), page)

        done_once(
            self.request,
            self.merchant,
            route="create_refund",
            key=form.key,
            said=form.said(),
            kind=doorbell.Kind.REFUNDS,
            work=work,
        )

    def _form(self, payment: Payment, form: RefundForm) -> HttpResponse:
        title = f"Refund {payment.reference}"
        return self.page("refund", title=title, payment=payment, form=form)
