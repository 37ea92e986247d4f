"""E-mail to merchants and their members."""

import logging
from enum import StrEnum
from smtplib import SMTPException
from threading import Timer

from django.conf import settings
from django.contrib.auth.models import User
from django.core.mail import EmailMessage
from django.template.loader import render_to_string

from payments.models import MerchantMember, WebhookEndpoint

THREAD = "portal-letter"
# The answer is gone by then, and does not share its time with the letter.
PAUSE_SECONDS = 0.2

logger = logging.getLogger(__name__)


class Letter(StrEnum):
    """What is told; the value is the name of its template."""

    RESET = "reset"
    CHANGED = "changed"
    ENDPOINT_DISABLED = "endpoint_disabled"


SUBJECTS = {
    Letter.RESET: "Set a new password",
    Letter.CHANGED: "Your password was changed",
    Letter.ENDPOINT_DISABLED: "A webhook endpoint was disabled",
}
Role = MerchantMember.Role
SEES_TO_ENDPOINTS = (Role.OWNER, Role.ADMIN, Role.DEVELOPER)


def send_letter(person: User, letter: Letter, **context: object) -> None:
    """Hand the e-mail in, off the request's path: whoever waits for the answer learns nothing.

    One that cannot be handed in is logged and lost. Nothing happens where no e-mail is sent.
    """
    _send(person.email, letter, {"person": person, **context})


def tell_of_disabled_endpoint(endpoint: WebhookEndpoint, **_: object) -> None:
    """Write to the merchant, and to those of its members who can do something about it."""
    merchant = endpoint.merchant
    if merchant is None:
        return  # the platform's own: its operators have the log and the audit trail
    members = merchant.members.filter(role__in=SEES_TO_ENDPOINTS, user__is_active=True)
    addresses = {merchant.email, *members.values_list("user__email", flat=True)}
    for address in sorted(addresses - {""}):
        _send(address, Letter.ENDPOINT_DISABLED, {"endpoint": endpoint})


def _send(address: str, letter: Letter, told: dict[str, object]) -> None:
    if not settings.SENDS_EMAIL:
        return
    later = Timer(PAUSE_SECONDS, _hand_in, (address, letter, told))
    later.name = THREAD
    later.start()


def _hand_in(address: str, letter: Letter, told: dict[str, object]) -> None:
    text = render_to_string(f"portal/letters/{letter}.txt", told)
    try:
        EmailMessage(SUBJECTS[letter], text, to=[address]).send()
    except (OSError, SMTPException):
        logger.exception("portal.letter_lost")
