"""Secrets that sign webhooks: shown once, kept encrypted; the key is not in the database."""

import base64
import hashlib
import secrets

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings

PREFIX = "whsec_"
SECRET_BYTES = 32  # Standard Webhooks 1.0 asks for 24 to 64


class SecretUnreadable(Exception):
    """It was sealed with a key that this process does not have."""

    def __init__(self) -> None:
        super().__init__("No key of WEBHOOK_SECRETS_KEY, or of SECRET_KEY, opens this secret.")


def new_secret() -> str:
    """A secret as Standard Webhooks 1.0 writes it: whsec_ and the base64 of random bytes."""
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def seal(secret: str) -> bytes:
    """The secret as it may be stored, encrypted with the first key and authenticated."""
    return _keys().encrypt(secret.encode())


def unseal(sealed: bytes | memoryview) -> str:
    """What was sealed with any of our keys. Raises SecretUnreadable."""
    try:
        return _keys().decrypt(bytes(sealed)).decode()
    except InvalidToken:
        raise SecretUnreadable() from None


def _keys() -> MultiFernet:
    """One of our own, whatever its length, becomes a key of Fernet's."""
    texts = settings.WEBHOOK_SECRETS_KEYS or [f"secrets of webhooks {settings.SECRET_KEY}"]
    digests = [hashlib.sha256(text.encode()).digest() for text in texts]
    return MultiFernet([Fernet(base64.urlsafe_b64encode(digest)) for digest in digests])
