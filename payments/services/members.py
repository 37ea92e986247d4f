"""People who act for a merchant, and what their roles let them do."""

from django.contrib.auth.models import User
from django.db import transaction

from ledger.actors import Actor
from ledger.services import audit
from payments.errors import LastOwner, MemberExists
from payments.locks import lock_merchant
from payments.models import ApiKey, Merchant, MerchantMember

Role = MerchantMember.Role
Scope = ApiKey.Scope

_READING = frozenset(
    {Scope.PAYMENTS_READ, Scope.ACCOUNTS_READ, Scope.REPORTS_READ, Scope.EVENTS_READ}
)
# The operator scope is in none of them: operators work in the back office.
SCOPES_OF_ROLE: dict[str, frozenset[Scope]] = {
    Role.OWNER: frozenset(Scope) - {Scope.OPERATOR},
    Role.ADMIN: frozenset(Scope) - {Scope.OPERATOR},
    Role.DEVELOPER: _READING | {Scope.KEYS_WRITE, Scope.WEBHOOKS_WRITE},
    Role.VIEWER: _READING,
}


@transaction.atomic
def add_member(merchant: Merchant, user: User, *, role: str, actor: Actor) -> MerchantMember:
    """The person acts for the merchant from now on. Raises MemberExists."""
    member, is_new = MerchantMember.objects.get_or_create(
        user=user, merchant=merchant, defaults={"role": role}
    )
    if not is_new:
        raise MemberExists(user)
    audit.record(
        "member.added", merchant.public_id, actor=actor, after={"user": str(user), "role": role}
    )
    return member


@transaction.atomic
def change_role(
    member: MerchantMember, *, role: str, actor: Actor, reason: str = ""
) -> MerchantMember:
    """The role counts from the person's next request on. Raises LastOwner."""
    before, member = _locked(member, keeps_owner=role == Role.OWNER)
    member.role = role
    member.save(update_fields=["role"])
    audit.record(
        "member.role_changed",
        member.merchant.public_id,
        actor=actor,
        reason=reason,
        before={"user": str(member.user), "role": before},
        after={"user": str(member.user), "role": role},
    )
    return member


@transaction.atomic
def remove_member(member: MerchantMember, *, actor: Actor, reason: str = "") -> None:
    """The person's next request for the merchant is refused. Raises LastOwner."""
    before, member = _locked(member, keeps_owner=False)
    merchant, user = member.merchant, member.user
    member.delete()
    audit.record(
        "member.removed",
        merchant.public_id,
        actor=actor,
        reason=reason,
        before={"user": str(user), "role": before},
    )


def _locked(member: MerchantMember, *, keeps_owner: bool) -> tuple[str, MerchantMember]:
    """The role as it is now, and the member; the merchant's members change one at a time."""
    merchant = lock_merchant(member.merchant_id)
    member = MerchantMember.objects.select_related("user", "merchant").get(pk=member.pk)
    owners = merchant.members.filter(role=Role.OWNER).exclude(pk=member.pk)
    if member.role == Role.OWNER and not keeps_owner and not owners.exists():
        raise LastOwner(merchant)
    return member.role, member
