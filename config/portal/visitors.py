"""Who looks at the portal, and for which merchant: the one place that every page asks."""

from dataclasses import dataclass

from django.contrib.auth.models import User
from django.http import HttpRequest

from ledger.actors import Actor
from payments.models import Merchant, MerchantMember
from payments.services.members import SCOPES_OF_ROLE

# In the session: the public id of the merchant that somebody with several has chosen.
CHOSEN = "portal_merchant"


@dataclass(frozen=True, slots=True)
class Visitor:
    """A member who is signed in. Whatever a page reads or does, it does for `merchant`."""

    member: MerchantMember
    has_choice: bool  # whether the person acts for other merchants too

    @property
    def merchant(self) -> Merchant:
        return self.member.merchant

    @property
    def scopes(self) -> frozenset[str]:
        return frozenset(scope.value for scope in SCOPES_OF_ROLE[self.member.role])

    @property
    def is_owner(self) -> bool:
        return self.member.role == MerchantMember.Role.OWNER

    @property
    def actor(self) -> Actor:
        return Actor.user(self.member.user)


def memberships_of(user: User) -> list[MerchantMember]:
    rows = MerchantMember.objects.filter(user=user).select_related("merchant__gateway", "user")
    return list(rows.order_by("merchant__name", "pk"))


def visitor_of(request: HttpRequest) -> Visitor | None:
    """The member who asks, as the membership is now; None if there is none, or none is chosen."""
    if not isinstance(request.user, User):
        return None
    theirs = memberships_of(request.user)
    chosen = request.session.get(CHOSEN)
    wanted = [each for each in theirs if len(theirs) == 1 or each.merchant.public_id == chosen]
    return Visitor(wanted[0], has_choice=len(theirs) > 1) if wanted else None
