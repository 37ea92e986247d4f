"""How often somebody may ask: GCRA in Redis, one round trip for all limits of a request.

Limits are `RATE_LIMITS` in the settings, by class: so many requests per so many seconds, as a
bucket that refills evenly. Without Redis every process counts for itself, and lets through a part.
"""

import hashlib
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

from django.conf import settings
from redis.exceptions import NoScriptError

from payments.cache import Line, Unreachable, ask_ahead, ask_briefly

PREFIX = "tieout:rate:"
# What one process lets through of a quota when nobody counts for all of them.
SHARE_WITHOUT_REDIS = 4
BUCKETS_MAX = 10_000
SECOND = 1_000_000  # everything here is in whole microseconds


class RateClass(StrEnum):
    """What a limit is about."""

    PAYMENTS = "payments"  # what moves or promises money
    WRITES = "writes"
    READS = "reads"
    ANONYMOUS = "anonymous"  # nobody we know, by address
    LOGIN = "login"  # guessing passwords, by address
    GLOBAL = "global"  # everybody together


@dataclass(frozen=True, slots=True)
class Policy:
    """`quota` requests per `window_seconds`."""

    name: str
    quota: int
    window_seconds: int

    @property
    def each(self) -> int:
        """How long a request takes to come back."""
        return max(self.window_seconds * SECOND // self.quota, 1)

    @property
    def whole(self) -> int:
        return self.each * self.quota

    @property
    def header(self) -> str:
        return f'"{self.name}";q={self.quota};w={self.window_seconds}'

    def left(self, full_in: int) -> int:
        """How many more requests fit now into a bucket that is full again after this long."""
        return max((self.whole - full_in) // self.each, 0)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a request may be answered, by the policy that decided, and what is left of it."""

    is_allowed: bool
    policies: tuple[Policy, ...]
    decided_by: Policy
    full_in: int

    @property
    def headers(self) -> dict[str, str]:
        """As draft-ietf-httpapi-ratelimit-headers-10 writes them; times are in seconds."""
        policy = self.decided_by
        said = {
            "RateLimit-Policy": ", ".join(each.header for each in self.policies),
            "RateLimit": f'"{policy.name}";r={policy.left(self.full_in)};'
            f"t={_seconds(self.full_in)}",
        }
        if not self.is_allowed:
            said["Retry-After"] = str(self.retry_after)
        return said

    @property
    def retry_after(self) -> int:
        """Seconds after which the next request fits."""
        return max(_seconds(self.full_in + self.decided_by.each - self.decided_by.whole), 1)


def announce_check(identity: str, rate_class: str) -> None:
    """Let Redis begin with what `check_rate` asks, next in this thread, of the same caller."""
    ask_ahead(*_question(identity, rate_class))


def check_rate(identity: str, rate_class: str) -> Verdict:
    """Count one request of this caller; whether it may be answered.

    `identity` is any text that stays the same for a caller. Takes one round trip to Redis, at most
    REDIS_TIMEOUT_SECONDS. Raises cache.Unreachable for RateClass.LOGIN only.
    """
    policies = _policies(rate_class)
    question = _question(identity, rate_class)
    try:
        empty, *full_in = ask_briefly(lambda line: _take(line, question))
    except Unreachable:
        if rate_class == RateClass.LOGIN:
            raise
        policies = tuple(_share_of(policy) for policy in policies)
        empty, *full_in = _Own.take(_names(identity, rate_class), policies)
    decided_by = max(empty - 1, 0)
    return Verdict(not empty, policies, policies[decided_by], full_in[decided_by])


@cache
def policy_of(rate_class: str) -> Policy:
    quota, _, seconds = settings.RATE_LIMITS[rate_class].partition("/")
    return Policy(str(rate_class), int(quota), int(seconds))


def _share_of(policy: Policy) -> Policy:
    return Policy(policy.name, max(policy.quota // SHARE_WITHOUT_REDIS, 1), policy.window_seconds)


def _seconds(microseconds: int) -> int:
    return -(-microseconds // SECOND)


def _policies(rate_class: str) -> tuple[Policy, ...]:
    return policy_of(rate_class), policy_of(RateClass.GLOBAL)


def _names(identity: str, rate_class: str) -> tuple[str, ...]:
    return f"{PREFIX}{rate_class}:{identity}", f"{PREFIX}{RateClass.GLOBAL}"


def _question(identity: str, rate_class: str) -> tuple[Any, ...]:
    names = _names(identity, rate_class)
    times = [each for policy in _policies(rate_class) for each in (policy.each, policy.whole)]
    return "EVALSHA", _script()[1], len(names), *names, *times


def _take(line: Line, question: tuple[Any, ...]) -> list[int]:
    try:
        answer = line.call(*question)
    except NoScriptError:  # it has been flushed, or is another Redis
        answer = line.call("EVAL", _script()[0], *question[2:])
    return [int(number) for number in answer]


@cache
def _script() -> tuple[str, str]:
    source = (Path(__file__).parent / "lua" / "take_from_buckets.lua").read_text()
    return source, hashlib.sha1(source.encode()).hexdigest()


class _Own:
    """The buckets of this process, for when Redis is away."""

    _full_at: dict[str, int] = {}
    _lock = threading.Lock()

    @classmethod
    def take(cls, names: Sequence[str], policies: Sequence[Policy]) -> list[int]:
        """As take_from_buckets.lua does it."""
        now = time.monotonic_ns() // 1000
        empty, full_in = 0, []
        with cls._lock:
            if len(cls._full_at) > BUCKETS_MAX:
                cls._full_at = {name: at for name, at in cls._full_at.items() if at > now}
            for number, (name, policy) in enumerate(zip(names, policies, strict=True), 1):
                wait = max(cls._full_at.get(name, 0) - now, 0)
                is_empty = wait + policy.each > policy.whole
                full_in.append(wait if is_empty else wait + policy.each)
                empty = number if is_empty else empty
            if not empty:
                cls._full_at |= {
                    name: now + wait for name, wait in zip(names, full_in, strict=True)
                }
        return [empty, *full_in]
