"""Merchants' developers at the HTTP API of a real server."""

import json
import time
from collections import Counter

import httpx

RETRY_SECONDS = 0.2


def wish(**more: str) -> bytes:
    """A payment of 100.00 EUR, byte for byte the same each time."""
    return json.dumps(
        {"amount": "100.00", "currency": "EUR", "source": "tok_visa", **more}
    ).encode()


class Client(httpx.Client):
    """Asks for payments with one key of the API; remembers what it was answered, and how soon."""

    def __init__(self, base_url: str, secret: str) -> None:
        super().__init__(
            base_url=f"{base_url}/api/v1",
            headers={"Authorization": f"Bearer {secret}"},
            timeout=30,
            trust_env=False,
        )
        self.statuses: Counter[int] = Counter()
        self.seconds: list[float] = []

    def pay(self, key: str, **more: str) -> httpx.Response:
        """Ask for 100.00 EUR under this key, once."""
        began_at = time.monotonic()
        headers = {"Idempotency-Key": key, "Content-Type": "application/json"}
        answer = self.post("/payments", content=wish(**more), headers=headers)
        self.seconds.append(time.monotonic() - began_at)
        self.statuses[answer.status_code] += 1
        return answer

    def insist(self, key: str, *, seconds: float, **more: str) -> httpx.Response:
        """Ask again under the same key until an answer comes that is neither 409 nor 503."""
        give_up_at = time.monotonic() + seconds
        while True:
            try:
                answer = self.pay(key, **more)
                if answer.status_code not in (409, 503):
                    return answer
            except httpx.TransportError:
                assert time.monotonic() < give_up_at, f"{key} got no answer in {seconds} s."
            time.sleep(RETRY_SECONDS)

    def p95(self) -> float:
        """95 of 100 answers came within so many seconds."""
        return sorted(self.seconds)[int(len(self.seconds) * 0.95)]
