"""Signatures of Standard Webhooks 1.0, symmetric (v1).

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import base64
import hashlib
import hmac
from collections.abc import Sequence

PREFIX = "whsec_"


def signed_headers(
    body: bytes, *, message_id: str, at: int, secrets: Sequence[str]
) -> dict[str, str]:
    """What goes with a body sent at this unix time, signed with each of the secrets."""
    signatures = [
        signature(body, message_id=message_id, at=at, secret=secret) for secret in secrets
    ]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(at),
        "webhook-signature": " ".join(signatures),
    }


def signature(body: bytes, *, message_id: str, at: int, secret: str) -> str:
    """`v1,` and the base64 of HMAC-SHA256 over `<id>.<unix time>.<body>`."""
    key = base64.b64decode(secret.removeprefix(PREFIX))
    digest = hmac.new(key, f"{message_id}.{at}.".encode() + body, hashlib.sha256).digest()
    return "v1," + base64.b64encode(digest).decode()
