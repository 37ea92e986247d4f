"""Where the merchant's events are sent; endpoints are changed through the API."""

from django.http import HttpRequest, HttpResponse

from config.portal.listings import listing_of
from config.portal.pages import MemberPage, Scope
from payments.selectors import endpoints_of


class Webhooks(MemberPage):
    needs = Scope.EVENTS_READ

    def get(self, request: HttpRequest) -> HttpResponse:
        listing = listing_of(endpoints_of(self.merchant), request, self.visitor)
        return self.page("webhooks", title="Webhooks", listing=listing)
