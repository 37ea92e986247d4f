"""The keys of machines: issued, rotated, revoked."""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from ledger.actors import Actor
from ledger.errors import Forbidden
from ledger.services import audit
from payments.errors import ApiKeyOver, ExpiryPassed, ScopeNotYours
from payments.key_format import digest_of, new_key, prefix_of
from payments.locks import lock_api_key
from payments.models import ApiKey, Merchant

OVERLAP_HOURS = 24
OVERLAP_HOURS_MAX = 7 * 24
USE_NOTED_EVERY = timedelta(minutes=1)
CONFIGURATION = Actor.system("configuration")


def check_grant(asked: Iterable[str], *, own: Collection[str]) -> None:
    """Nobody hands out more than he has. Raises ScopeNotYours."""
    if more := set(asked) - set(own):
        raise ScopeNotYours(sorted(more))


@transaction.atomic
def issue_api_key(
    merchant: Merchant,
    *,
    name: str,
    scopes: Iterable[str],
    secret: str | None = None,
    expires_at: datetime | None = None,
    actor: Actor = CONFIGURATION,
) -> tuple[ApiKey, str]:
    """Create a key and return it with its secret, which is not kept and cannot be shown again.

    A given `secret` (demo only) makes or brings up to date the one key with it. Forbidden in
    production, and so is the operator scope: operators are people there. Raises ExpiryPassed.
    """
    scopes = sorted(set(scopes))
    if settings.IS_PRODUCTION and (secret or ApiKey.Scope.OPERATOR in scopes):
        raise Forbidden("Demo keys and operator keys are not issued in production.")
    if expires_at is not None and expires_at <= timezone.now():
        raise ExpiryPassed()
    raw = secret or new_key()
    key, is_new = ApiKey.objects.update_or_create(
        digest=digest_of(raw),
        defaults={"scopes": scopes},
        create_defaults={
            "merchant": merchant,
            "name": name,
            "prefix": prefix_of(raw),
            "scopes": scopes,
            "expires_at": expires_at,
            "created_by": str(actor)[:120],
        },
    )
    if is_new:
        audit.record("api_key.created", key.public_id, actor=actor, after=_terms(key))
    return key, raw


@transaction.atomic
def rotate_api_key(
    key: ApiKey, *, overlap_hours: int = OVERLAP_HOURS, actor: Actor
) -> tuple[ApiKey, str]:
    """Issue a key with the same name, scopes and lifetime in place of this one, which still works
    for the overlap. Raises ApiKeyOver for a key that is revoked, expired or replaced already.
    """
    old, now = lock_api_key(key.pk), timezone.now()
    if old.revoked_at or old.replaced_by_id or (old.expires_at and old.expires_at <= now):
        raise ApiKeyOver(old)
    lifetime = old.expires_at - old.created_at if old.expires_at else None
    new, raw = issue_api_key(
        old.merchant,
        name=old.name,
        scopes=old.scopes,
        expires_at=now + lifetime if lifetime else None,
        actor=actor,
    )
    before = _terms(old)
    ends_at = now + timedelta(hours=overlap_hours)
    old.expires_at = min(old.expires_at, ends_at) if old.expires_at else ends_at
    old.replaced_by = new
    old.save(update_fields=["expires_at", "replaced_by"])
    audit.record(
        "api_key.rotated",
        old.public_id,
        actor=actor,
        before=before,
        after={**_terms(old), "replaced_by": new.public_id},
    )
    return new, raw


@transaction.atomic
def revoke_api_key(key: ApiKey, *, actor: Actor, reason: str = "") -> ApiKey:
    """No request is let in with this key any more. Doing it again changes nothing."""
    locked = lock_api_key(key.pk)
    if locked.revoked_at is None:
        locked.revoked_at = timezone.now()
        locked.save(update_fields=["revoked_at"])
        audit.record("api_key.revoked", locked.public_id, actor=actor, reason=reason)
    return locked


def note_key_use(key: ApiKey) -> None:
    """Remember when a key was last used, to the minute."""
    now = timezone.now()
    since = now - USE_NOTED_EVERY
    if key.last_used_at is None or key.last_used_at < since:
        ApiKey.objects.filter(Q(last_used_at=None) | Q(last_used_at__lt=since), pk=key.pk).update(
            last_used_at=now
        )
        key.last_used_at = now


def _terms(key: ApiKey) -> dict[str, object]:
    expires_at = key.expires_at.isoformat() if key.expires_at else None
    return {"name": key.name, "scopes": list(key.scopes), "expires_at": expires_at}
