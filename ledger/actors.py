"""Who does something: a person, an API key or the system itself; and in which request."""

from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

LABEL_LENGTH_MAX = 100

# Of the HTTP request being answered; empty outside of one. The outermost middleware sets it.
request_id: ContextVar[str] = ContextVar("request_id", default="")
# Where that request comes from: its address and what it says its program is.
address: ContextVar[str] = ContextVar("address", default="")
user_agent: ContextVar[str] = ContextVar("user_agent", default="")


@dataclass(frozen=True, slots=True)
class Actor:
    """`kind` is user, api_key or system; `id` is stable, `label` is for people."""

    kind: str
    id: str
    label: str

    @classmethod
    def user(cls, user: Any) -> "Actor":
        # Two people whose names begin alike for so long count as one: nobody approves his own.
        return cls("user", str(user.pk), user.get_username()[:LABEL_LENGTH_MAX])

    @classmethod
    def system(cls, name: str) -> "Actor":
        return cls("system", name, name)

    def __str__(self) -> str:
        return f"{self.kind}:{self.label}"
