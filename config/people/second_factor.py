"""The second factor of people of the back office: a code of their phone, or a recovery code.

Codes are TOTP (RFC 6238): six digits, thirty seconds, one step of tolerance; a code counts once.
Of a recovery code only a keyed hash is stored.
"""

import io
import secrets
import time
from base64 import b32encode

import qrcode
import qrcode.image.svg
from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpRequest
from django.utils.crypto import salted_hmac
from django_otp import devices_for_user
from django_otp import login as remember_device
from django_otp.models import Device
from django_otp.plugins.otp_static.models import StaticDevice, StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

from config.people import guesses
from config.people.guesses import Guess
from config.people.locks import lock_person_by_id
from ledger.actors import Actor
from ledger.errors import Busy, Forbidden, Invalid
from ledger.services import audit

RECOVERY_CODES = 10
# Letters and digits that look like no other one; 12 of 31 are 59 bits.
ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"
RECOVERY_CODE_LENGTH = 12
FRESH_SECONDS = 5 * 60
PASSED_AT = "second_factor_at"


class CodeWrong(Invalid):
    code = "second_factor_wrong"

    def __init__(self) -> None:
        super().__init__("This code is wrong, too old or used already.")


class CodesLocked(Busy):
    code = "second_factor_locked"

    def __init__(self) -> None:
        super().__init__("Too many wrong codes. Wait half an hour, or ask a security admin.")


class OwnSecondFactor(Forbidden):
    code = "own_second_factor"

    def __init__(self) -> None:
        super().__init__("Nobody resets a second factor of his own; ask another security admin.")


def is_enrolled(user: User) -> bool:
    return TOTPDevice.objects.filter(user=user, confirmed=True).exists()


def pass_second_factor(request: HttpRequest, code: str) -> None:
    """The person of this session has just shown the second factor.

    Raises CodeWrong and CodesLocked.
    """
    user = _person(request)
    with transaction.atomic():
        lock_person_by_id(user.pk)
        subject = guesses.subject_of(user)
        if guesses.is_locked(Guess.CODE, subject):
            raise CodesLocked()
        device = _device_that_accepts(user, code)
        by = "" if device is None else _kind_of(device)
        guesses.note(Guess.CODE, subject, user=user, succeeded=device is not None, by=by)
    if device is None:
        raise CodeWrong()
    _remember(request, device)


def is_fresh(request: HttpRequest) -> bool:
    """Whether the second factor was shown within the last five minutes."""
    passed_at: float = request.session.get(PASSED_AT, 0)
    return 0 <= time.time() - passed_at <= FRESH_SECONDS


@transaction.atomic
@transaction.atomic
def begin_enrolment(user: User, *, anew: bool) -> TOTPDevice:
    """A secret for the person's phone, which counts for nothing until a code confirms it.

    A new one whenever the page is opened: whoever opened it before may have kept the last.
    """
    lock_person_by_id(user.pk)
    if anew:
        TOTPDevice.objects.filter(user=user, confirmed=False).delete()
    device, _ = TOTPDevice.objects.get_or_create(
        user=user, confirmed=False, defaults={"name": "phone"}
    )
    return device


def confirm_enrolment(request: HttpRequest, code: str) -> list[str]:
    """The phone that shows this code is the person's second factor from now on, and no other one.

    Returns new recovery codes; they are shown this once. Raises CodeWrong and CodesLocked.
    """
    user = _person(request)
    with transaction.atomic():
        lock_person_by_id(user.pk)
        subject = guesses.subject_of(user)
        if guesses.is_locked(Guess.CODE, subject):
            raise CodesLocked()
        device = TOTPDevice.objects.filter(user=user, confirmed=False).first()
        is_right = device is not None and device.verify_token(_plain(code))
        guesses.note(Guess.CODE, subject, user=user, succeeded=is_right, by="new phone")
        if device is not None and is_right:
            TOTPDevice.objects.filter(user=user).exclude(pk=device.pk).delete()
            device.confirmed = True
            device.save(update_fields=["confirmed"])
            codes = _new_recovery_codes(user)
            audit.record("second_factor.enrolled", subject, actor=Actor.user(user))
    if device is None or not is_right:
        raise CodeWrong()
    _remember(request, device)
    return codes


@transaction.atomic
def renew_recovery_codes(user: User) -> list[str]:
    """New recovery codes; the old ones count no more."""
    lock_person_by_id(user.pk)
    codes = _new_recovery_codes(user)
    audit.record(
        "second_factor.recovery_codes_renewed", guesses.subject_of(user), actor=Actor.user(user)
    )
    return codes


def recovery_codes_left(user: User) -> int:
    return StaticToken.objects.filter(device__user=user).count()


@transaction.atomic
def reset_second_factor(user: User, *, actor: Actor, reason: str) -> None:
    """The person has no second factor and enrols a new one with the next sign-in.

    Whoever is signed in with the old one is signed out. Raises OwnSecondFactor and ReasonMissing.
    """
    reason = audit.required(reason)
    if (actor.kind, actor.id) == ("user", str(user.pk)):
        raise OwnSecondFactor()
    lock_person_by_id(user.pk)
    before = {"enrolled": is_enrolled(user), "recovery_codes": recovery_codes_left(user)}
    for device in devices_for_user(user, confirmed=None):
        device.delete()
    audit.record(
        "second_factor.reset",
        guesses.subject_of(user),
        actor=actor,
        reason=reason,
        before=before,
        after={"enrolled": False, "recovery_codes": 0},
    )


def as_qr_code(device: TOTPDevice) -> str:
    """What a phone scans, as an SVG image."""
    image = qrcode.make(device.config_url, image_factory=qrcode.image.svg.SvgPathImage, border=2)
    out = io.BytesIO()
    image.save(out)
    return out.getvalue().decode().partition("?>")[2].strip()


def as_text(device: TOTPDevice) -> str:
    """What a person types into a phone that cannot scan, in groups of four."""
    secret = b32encode(device.bin_key).decode().rstrip("=")
    return " ".join(secret[at : at + 4] for at in range(0, len(secret), 4))


def _device_that_accepts(user: User, code: str) -> Device | None:
    plain = _plain(code)
    for device in devices_for_user(user, confirmed=True, for_verify=True):
        shown = plain if isinstance(device, TOTPDevice) else _hashed(user, plain)
        if device.verify_token(shown):
            return device
    return None


def _new_recovery_codes(user: User) -> list[str]:
    device, _ = StaticDevice.objects.get_or_create(user=user, defaults={"name": "recovery codes"})
    device.token_set.all().delete()
    codes = [
        "".join(secrets.choice(ALPHABET) for _ in range(RECOVERY_CODE_LENGTH))
        for _ in range(RECOVERY_CODES)
    ]
    StaticToken.objects.bulk_create(
        [StaticToken(device=device, token=_hashed(user, code)) for code in codes]
    )
    return [f"{code[:4]}-{code[4:8]}-{code[8:]}" for code in codes]


def _hashed(user: User, code: str) -> str:
    """16 characters are 80 bits: all that fits, and more than the code itself has."""
    digest = salted_hmac(f"recovery code of {user.pk}", code, algorithm="sha256").digest()
    return b32encode(digest).decode()[:16]


def _plain(code: str) -> str:
    return "".join(each for each in code.lower() if each.isalnum())


def _kind_of(device: Device) -> str:
    return "phone" if isinstance(device, TOTPDevice) else "recovery code"


def _remember(request: HttpRequest, device: Device) -> None:
    remember_device(request, device)
    request.session.cycle_key()
    request.session[PASSED_AT] = time.time()


def _person(request: HttpRequest) -> User:
    assert request.user.is_authenticated  # the pages let nobody else in
    return request.user
