"""How people become members: an owner invites an e-mail address and passes on a link.

The link works once, for three days, while whoever made it is an owner, and not after the address
was invited anew or its member removed. It opens nothing by itself: who follows it gives the
password of that address, or sets one if nobody has it yet. Membership is for whom an owner gave a
link, so it does not matter who signed up with the address before.
"""

from dataclasses import asdict, dataclass
from datetime import timedelta

from django.contrib.auth.models import User
from django.core import signing
from django.db import IntegrityError, transaction
from django.db.models import Q

from ledger.actors import Actor
from ledger.errors import Conflict
from ledger.ids import new_id
from ledger.models import AuditEvent
from ledger.services import audit
from payments.errors import EmailTaken
from payments.locks import lock_merchant
from payments.models import Merchant, MerchantMember
from payments.services.members import add_member

DAYS = 3
SALT = "portal.invitation"
INVITED, JOINED = "member.invited", "member.joined"
REMOVED = "member.removed"  # what `remove_member` writes down


class InvitationOver(Conflict):
    code = "invitation_over"

    def __init__(self) -> None:
        super().__init__("This link is over or was used; ask the owner who made it for a new one.")


@dataclass(frozen=True, slots=True)
class Invitation:
    """What a link says. `merchant` is a public id, `invited_by` the id of a person."""

    id: str
    merchant: str
    email: str
    role: str
    invited_by: int


@transaction.atomic
def invite(owner: MerchantMember, email: str, *, role: str) -> str:
    """The end of a link that makes whoever has this e-mail address a member."""
    invitation = Invitation(
        new_id("inv"), owner.merchant.public_id, email.lower(), role, owner.user_id
    )
    audit.record(
        INVITED,
        invitation.merchant,
        actor=Actor.user(owner.user),
        after={"invitation": invitation.id, "user": invitation.email, "role": role},
    )
    return signing.dumps(asdict(invitation), salt=SALT)


def read_invitation(token: str) -> Invitation:
    """What the link says while it works. Raises InvitationOver."""
    try:
        said = signing.loads(token, salt=SALT, max_age=timedelta(days=DAYS))
    except signing.BadSignature:
        raise InvitationOver() from None
    invitation = Invitation(**said)
    _check(invitation)
    return invitation


@transaction.atomic
def join(invitation: Invitation, user: User) -> MerchantMember:
    """The person is a member, and the link is used. Raises InvitationOver and MemberExists."""
    merchant = Merchant.objects.get(public_id=invitation.merchant)
    lock_merchant(merchant.pk)
    _check(invitation)
    actor = Actor.user(user)
    member = add_member(merchant, user, role=invitation.role, actor=actor)
    audit.record(JOINED, invitation.id, actor=actor, after={"merchant": invitation.merchant})
    return member


@transaction.atomic
def join_anew(invitation: Invitation, user: User) -> MerchantMember:
    """As `join`, for somebody who is not saved yet. Raises EmailTaken too."""
    try:
        with transaction.atomic():
            user.save(force_insert=True)
    except IntegrityError:
        raise EmailTaken() from None
    return join(invitation, user)


def _check(invitation: Invitation) -> None:
    owners = MerchantMember.objects.filter(
        merchant__public_id=invitation.merchant,
        user=invitation.invited_by,
        user__is_active=True,
        role=MerchantMember.Role.OWNER,
    )
    is_used = AuditEvent.objects.filter(subject=invitation.id, action=JOINED).exists()
    if is_used or not owners.exists() or not _is_latest_word(invitation):
        raise InvitationOver()


def _is_latest_word(invitation: Invitation) -> bool:
    """Whether the address was not invited anew since, for another role perhaps, nor its member
    removed: a link that lies about must not undo that.
    """
    words = AuditEvent.objects.filter(
        Q(action=INVITED, after__user=invitation.email)
        | Q(action=REMOVED, before__user=invitation.email),
        subject=invitation.merchant,
    )
    latest = words.order_by("-pk").first()
    return latest is not None and latest.after.get("invitation") == invitation.id
