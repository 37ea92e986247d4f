"""The first page: where the merchant's money is, and what payers did lately."""

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from config.portal.chart import payments_chart
from config.portal.pages import MemberPage, Scope
from payments.selectors import payments_of
from settlements.selectors import balances_of

RECENT = 10


class Overview(MemberPage):
    needs = Scope.ACCOUNTS_READ

    def get(self, request: HttpRequest) -> HttpResponse:
        sees_payments = Scope.PAYMENTS_READ in self.visitor.scopes
        return self.page(
            "overview",
            title="Overview",
            balances=balances_of(self.merchant),
            sees_payments=sees_payments,
            chart=payments_chart(self.merchant, timezone.now()) if sees_payments else None,
            payments=payments_of(self.merchant)[:RECENT] if sees_payments else [],
        )
