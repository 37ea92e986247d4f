"""Who does something: a person, an API key or the system itself."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Actor:
    """`kind` is user, api_key or system; `id` is stable, `label` is for people."""

    kind: str
    id: str
    label: str

    @classmethod
    def user(cls, user: Any) -> "Actor":
        return cls("user", str(user.pk), user.get_username())

    @classmethod
    def system(cls, name: str) -> "Actor":
        return cls("system", name, name)

    def __str__(self) -> str:
        return f"{self.kind}:{self.label}"
