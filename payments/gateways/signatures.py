"""Signed messages of gateways, as Stripe signs them: https://docs.stripe.com/webhooks/signature.

The header says `t=<unix seconds>,v1=<hex>`, the latter HMAC-SHA256 of `<t>.<body>`; while a secret
is being changed there are several `v1`.
"""

import hashlib
import hmac

from ledger.errors import Forbidden

TOLERANCE_SECONDS = 300


class SignatureRefused(Forbidden):
    code = "signature_refused"

    def __init__(self) -> None:
        super().__init__("This message is not signed with our secret, or not within 5 minutes.")


def check_signature(header: str, body: bytes, *, secret: str, now: int) -> None:
    """Raise SignatureRefused unless the raw body was signed with the secret; `now` is unix time."""
    parts = [part.strip().partition("=")[::2] for part in header.split(",")]
    signed_at = next((value for name, value in parts if name == "t"), "")
    # As long as a unix time is; int() would take far more, and other digits.
    if not (signed_at.isascii() and signed_at.isdecimal() and len(signed_at) <= 12):
        raise SignatureRefused()
    expected = signature(body, secret=secret, at=int(signed_at)).encode()
    given = [value.encode() for name, value in parts if name == "v1"]
    is_ours = any(hmac.compare_digest(expected, value) for value in given)
    if not is_ours or abs(now - int(signed_at)) > TOLERANCE_SECONDS:
        raise SignatureRefused()


def signature(body: bytes, *, secret: str, at: int) -> str:
    """The `v1` of a body signed at this unix time."""
    return hmac.new(secret.encode(), b"%d." % at + body, hashlib.sha256).hexdigest()


def signed_header(body: bytes, *, secret: str, at: int) -> str:
    """What the sender puts into the header."""
    return f"t={at},v1={signature(body, secret=secret, at=at)}"
