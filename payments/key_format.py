"""What an API key looks like: `tk_<8 characters>_<43 random characters>_<checksum>`.

The first part tells keys apart and is kept as the prefix. The checksum, CRC32 of everything before
it, tells a mistyped key from a real one, for us and for scanners of leaked secrets, without a look
into the database.
"""

import binascii
import hashlib
import re
import secrets
import string

ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
SECRET_BYTES = 32
SECRET_LENGTH = 43  # of 32 bytes in base 62
CHECKSUM_LENGTH = 6  # of 32 bits in base 62
PREFIX_LENGTH = 11

_KEY = re.compile(r"(tk_[0-9A-Za-z]{8}_[0-9A-Za-z]{43})_([0-9A-Za-z]{6})", re.ASCII)


def new_key() -> str:
    """A new API key with 256 random bits."""
    part = "".join(secrets.choice(ALPHABET) for _ in range(8))
    secret = _in_base_62(int.from_bytes(secrets.token_bytes(SECRET_BYTES)), SECRET_LENGTH)
    body = f"tk_{part}_{secret}"
    return f"{body}_{_checksum(body)}"


def is_well_formed(text: str) -> bool:
    """Whether the text looks like a key and its checksum is right."""
    found = _KEY.fullmatch(text)
    return found is not None and found[2] == _checksum(found[1])


def prefix_of(key: str) -> str:
    """What may be shown of a key: it names the key and helps nobody to guess the rest."""
    return key[:PREFIX_LENGTH] if is_well_formed(key) else key[:8]


def digest_of(key: str) -> str:
    """What is stored of a key: SHA-256, hexadecimal. Keys are random, so no salt is needed."""
    return hashlib.sha256(key.encode()).hexdigest()


def _checksum(body: str) -> str:
    return _in_base_62(binascii.crc32(body.encode()), CHECKSUM_LENGTH)


def _in_base_62(number: int, length: int) -> str:
    digits = ""
    for _ in range(length):
        number, digit = divmod(number, len(ALPHABET))
        digits = ALPHABET[digit] + digits
    return digits
