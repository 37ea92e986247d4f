"""What every page of the portal keeps to: a member only, the role's scope, nothing cached."""

from typing import Any, ClassVar
from urllib.parse import urlencode

from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.generic import View

from config.portal.visitors import Visitor, memberships_of, visitor_of
from config.problems import status_of
from ledger.errors import DomainError, Forbidden, NotFound
from payments.models import ApiKey

Scope = ApiKey.Scope
# Our style sheet and nothing else: no script, no frame, no other server.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self';"
    " frame-ancestors 'none'; base-uri 'none'"
)
# Names of pages in the order of the way around, and the scope that each needs.
WAYS = (
    ("overview", "Overview", Scope.ACCOUNTS_READ),
    ("payments", "Payments", Scope.PAYMENTS_READ),
    ("settlements", "Settlements", Scope.REPORTS_READ),
    ("payouts", "Payouts", Scope.REPORTS_READ),
    ("reconciliation", "Reconciliation", Scope.REPORTS_READ),
    ("webhooks", "Webhooks", Scope.EVENTS_READ),
    ("keys", "API keys", Scope.KEYS_WRITE),
)
WAYS_OF_OWNERS = (("members", "Members"),)


class RoleTooSmall(Forbidden):
    code = "role_too_small"

    def __init__(self, visitor: Visitor) -> None:
        super().__init__(
            f"Your role for {visitor.merchant.name}, {visitor.member.role}, does not allow this;"
            " ask one of its owners."
        )


class NoSuchPage(NotFound):
    code = "page_not_found"

    def __init__(self) -> None:
        super().__init__("There is no such page.")


class OpenPage(View):
    """A page for whoever comes. Refusals are pages too, with the number the API would give."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        return self.sealed(self.answered(request, *args, **kwargs))

    def answered(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            return super().dispatch(request, *args, **kwargs)
        except DomainError as refusal:
            return self.refused(refusal)

    def page(self, name: str, *, status: int = 200, **context: Any) -> HttpResponse:
        return render(self.request, f"portal/{name}.html", context, status=status)

    def refused(self, refusal: DomainError) -> HttpResponse:
        status = status_of(type(refusal))
        return self.page("refusal", status=status, title="Not possible", refusal=refusal)

    @staticmethod
    def sealed(response: HttpResponseBase) -> HttpResponseBase:
        response.headers["Cache-Control"] = "no-store"
        response.headers.setdefault("Content-Security-Policy", CONTENT_SECURITY_POLICY)
        return response


class MemberPage(OpenPage):
    """A page for members whose role has the scope; it sees nothing but `self.merchant`'s."""

    needs: ClassVar[str] = ""
    is_for_owners: ClassVar[bool] = False
    visitor: Visitor

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        visitor = visitor_of(request)
        if visitor is None:
            return self.sealed(HttpResponseRedirect(way_in(request)))
        self.visitor = visitor
        with timezone.override(visitor.merchant.zone):
            return super().dispatch(request, *args, **kwargs)

    def answered(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        has_scope = not self.needs or self.needs in self.visitor.scopes
        if not has_scope or (self.is_for_owners and not self.visitor.is_owner):
            return self.refused(RoleTooSmall(self.visitor))
        return super().answered(request, *args, **kwargs)

    @property
    def merchant(self) -> Any:
        return self.visitor.merchant

    def page(self, name: str, *, status: int = 200, **context: Any) -> HttpResponse:
        here = self.request.path.split("/")[2] or "overview"
        ways = [(way, label) for way, label, scope in WAYS if scope in self.visitor.scopes]
        ways += WAYS_OF_OWNERS if self.visitor.is_owner else ()
        around = {"visitor": self.visitor, "ways": ways, "here": here}
        return super().page(name, status=status, **around, **context)


class Missing(MemberPage):
    """Whatever else is below /portal/."""

    def get(self, request: HttpRequest, **_: Any) -> HttpResponse:
        return self.refused(NoSuchPage())


def way_in(request: HttpRequest) -> str:
    """Where somebody goes who cannot be shown this page yet, and from there to the page."""
    is_member = isinstance(request.user, User) and bool(memberships_of(request.user))
    door = reverse("portal:choose" if is_member else "portal:sign_in")
    return f"{door}?{urlencode({'next': request.get_full_path()})}"
