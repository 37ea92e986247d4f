"""People log in with e-mail and password and get tokens; each refresh token counts once.

Tokens are JWTs signed with one algorithm (settings.SIMPLE_JWT), but everything that may change is
looked up each time: the login, the person, the membership and its role.
"""

import logging
from dataclasses import dataclass

from django.contrib.auth import authenticate
from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.tokens import AccessToken, RefreshToken, Token

from ledger.actors import Actor
from ledger.services import audit
from payments.errors import MerchantNotChosen, MerchantNotFound, NoMembership
from payments.models import Login, MerchantMember

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a person's program sends: `access` with requests, `refresh` once for the next pair."""

    access: str
    refresh: str


def log_in(email: str, password: str, *, merchant_id: str | None = None) -> Tokens | None:
    """Tokens to act for the person's merchant; None for a wrong e-mail or password.

    Raises NoMembership; with several merchants MerchantNotChosen, and MerchantNotFound for one that
    is not the person's.
    """
    user = authenticate(username=email.lower(), password=password)
    if not isinstance(user, User):
        logger.warning("login.refused")
        return None
    merchant = _merchant_of(user, merchant_id)
    refresh = RefreshToken.for_user(user)
    Login.objects.filter(user=user, expires_at__lt=timezone.now()).delete()
    login = Login.objects.create(
        user=user,
        refresh_id=refresh["jti"],
        credentials=user.get_session_auth_hash(),
        expires_at=timezone.now() + refresh.lifetime,
    )
    refresh["login"], refresh["merchant"] = login.public_id, merchant
    return _tokens(refresh)


def refresh_tokens(text: str) -> Tokens | None:
    """The next pair of tokens; None if the login is over, or ends now because the token was used
    before: either the person or a thief has the newer one.
    """
    try:
        old = RefreshToken(text)  # type: ignore[arg-type]
    except TokenError:
        return None
    login = _live_login(old)
    if login is None:
        return None
    new = RefreshToken.for_user(login.user)
    new.set_exp(from_time=login.expires_at, lifetime=new.lifetime * 0)
    new["login"], new["merchant"] = old["login"], old["merchant"]
    is_newest = Login.objects.filter(pk=login.pk, refresh_id=old["jti"], ended_at=None).update(
        refresh_id=new["jti"]
    )
    if not is_newest:
        _end(login, "login.token_reused")
        return None
    return _tokens(new)


def log_out(text: str) -> None:
    """End the login of this refresh token; one that is over already, or no token, stays so."""
    try:
        login = _live_login(RefreshToken(text))  # type: ignore[arg-type]
    except TokenError:
        return
    if login is not None:
        _end(login, "login.ended")


def member_of(text: str) -> MerchantMember | None:
    """Who may act for whom with this access token; None if nobody (any more)."""
    try:
        token = AccessToken(text)  # type: ignore[arg-type]
    except TokenError:
        return None
    login = _live_login(token)
    if login is None:
        return None
    return (
        MerchantMember.objects.select_related("merchant", "user")
        .filter(user=login.user, merchant__public_id=token.get("merchant"))
        .first()
    )


def _merchant_of(user: User, merchant_id: str | None) -> str:
    theirs = list(
        MerchantMember.objects.filter(user=user)
        .order_by("pk")
        .values_list("merchant__public_id", flat=True)
    )
    if not theirs:
        raise NoMembership()
    if merchant_id is None and len(theirs) > 1:
        raise MerchantNotChosen(theirs)
    if merchant_id is not None and merchant_id not in theirs:
        raise MerchantNotFound(merchant_id)
    return merchant_id or theirs[0]


def _live_login(token: Token) -> Login | None:
    login = (
        Login.objects.select_related("user")
        .filter(
            public_id=token.get("login"),
            ended_at=None,
            expires_at__gt=timezone.now(),
            user__is_active=True,
        )
        .first()
    )
    if login is None or not constant_time_compare(
        login.credentials, login.user.get_session_auth_hash()
    ):
        return None
    return login


@transaction.atomic
def _end(login: Login, action: str) -> None:
    if Login.objects.filter(pk=login.pk, ended_at=None).update(ended_at=timezone.now()):
        audit.record(action, login.public_id, actor=Actor.user(login.user))


def _tokens(refresh: RefreshToken) -> Tokens:
    return Tokens(access=str(refresh.access_token), refresh=str(refresh))
