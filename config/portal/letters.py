"""E-mail to members of merchants."""

import logging
from enum import StrEnum
from smtplib import SMTPException
from threading import Timer

from django.conf import settings
from django.contrib.auth.models import User
from django.core.mail import EmailMessage
from django.template.loader import render_to_string

THREAD = "portal-letter"
# The answer is gone by then, and does not share its time with the letter.
PAUSE_SECONDS = 0.2

logger = logging.getLogger(__name__)


class Letter(StrEnum):
    """What is told; the value is the name of its template."""

    RESET = "reset"
    CHANGED = "changed"


SUBJECTS = {Letter.RESET: "Set a new password", Letter.CHANGED: "Your password was changed"}


def send_letter(person: User, letter: Letter, **context: object) -> None:
    """Hand the e-mail in, off the request's path: whoever waits for the answer learns nothing.

    One that cannot be handed in is logged and lost. Nothing happens where no e-mail is sent.
    """
    if not settings.SENDS_EMAIL:
        return
    told = {"person": person, **context}
    later = Timer(PAUSE_SECONDS, _hand_in, (person.email, letter, told))
    later.name = THREAD
    later.start()


def _hand_in(address: str, letter: Letter, told: dict[str, object]) -> None:
    text = render_to_string(f"portal/letters/{letter}.txt", told)
    try:
        EmailMessage(SUBJECTS[letter], text, to=[address]).send()
    except (OSError, SMTPException):
        logger.exception("portal.letter_lost")
