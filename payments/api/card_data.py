"""Card numbers and security codes: refused wherever they are sent, and masked in logs."""

import re
import unicodedata
from collections.abc import Iterator

from ledger.errors import Invalid
from payments.errors import CardNumberRefused

# ISO/IEC 7812: a primary account number.
PAN_LENGTH_MIN, PAN_LENGTH_MAX = 13, 19
PAN_FIRST_DIGITS = "23456"  # what the card schemes were given
# PCI DSS 3.3.1: sensitive authentication data, by the names it goes under.
SECRET_NAMES = frozenset(
    "cvv cvv2 cvc cvc2 csc cid cav2 pin pinblock track track1 track2 trackdata securitycode"
    " cardcvv cardcvc cardpin cardsecuritycode".split()
)
_DIGIT_RUN = re.compile(r"(?<![A-Za-z0-9])[0-9](?:[0-9]|[\s._-]{1,3}(?=[0-9])){12,}(?![A-Za-z0-9])")
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u2060\ufeff]")
_NOT_IN_NAMES = re.compile("[^a-z0-9]")
MASK = "[card number]"


class SecurityCodeRefused(Invalid):
    code = "security_code_refused"

    def __init__(self) -> None:
        super().__init__("Security codes, PINs and track data of cards are never sent to us.")


def refuse_card_number(text: str) -> None:
    """Raise CardNumberRefused if neighbouring groups of digits make up a card number.

    Groups may be divided by spaces, dots, hyphens or underscores, in digits of any script or with
    invisible characters between; other digits beside the number do not hide it. Digits that touch
    letters are no card number: one in a few hundred hexadecimal ids would look like one.
    """
    if len(text) < PAN_LENGTH_MIN and text.isascii():
        return
    for run in _DIGIT_RUN.findall(_plain(text)):
        if _holds_card_number(run):
            raise CardNumberRefused()


def refuse_secret_name(name: str) -> None:
    """Raise SecurityCodeRefused if a field of this name would hold a card's security code."""
    if len(name) <= PAN_LENGTH_MAX and _NOT_IN_NAMES.sub("", name.lower()) in SECRET_NAMES:
        raise SecurityCodeRefused()


def mask_card_numbers(text: str) -> str:
    """The text with every card number in it replaced, for logs."""
    return _DIGIT_RUN.sub(
        lambda found: MASK if _holds_card_number(found[0]) else found[0], _plain(text)
    )


def _plain(text: str) -> str:
    """The text as a reader sees it, all its digits ASCII."""
    if text.isascii():
        return text
    visible = _INVISIBLE.sub("", unicodedata.normalize("NFKC", text))
    return "".join(
        str(unicodedata.decimal(character)) if character.isdecimal() else character
        for character in visible
    )


def _holds_card_number(run: str) -> bool:
    return any(number[0] in PAN_FIRST_DIGITS and _luhn_holds(number) for number in _numbers_in(run))


def _numbers_in(run: str) -> Iterator[str]:
    groups = re.findall("[0-9]+", run)
    for first in range(len(groups)):
        number = ""
        for group in groups[first:]:
            number += group
            if len(number) > PAN_LENGTH_MAX:
                break
            if len(number) >= PAN_LENGTH_MIN:
                yield number


def _luhn_holds(digits: str) -> bool:
    total = 0
    for position, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + position % 2)
        total += value - 9 * (value > 9)
    return total % 10 == 0
