"""Every operation below /api/v1, read from the URL conf itself."""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from django.urls import URLPattern, URLResolver, get_resolver

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
_PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>")


class Operation(NamedTuple):
    """A route such as `/payments/{payment_id}`, a method it answers, and the view's class."""

    method: str
    route: str
    view: Any

    def __str__(self) -> str:
        return f"{self.method} {self.route}"

    @property
    def parameters(self) -> list[str]:
        return re.findall(r"{(\w+)}", self.route)


def operations() -> list[Operation]:
    return [
        Operation(method, _PARAMETER.sub(r"{\1}", path.removeprefix("api/v1")), view)
        for path, view in _routes(get_resolver().url_patterns)
        if path.startswith("api/v1/")
        for method in METHODS
        if hasattr(view, method.lower())
    ]


def _routes(patterns: list[Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for pattern in patterns:
        path = f"{prefix}{pattern.pattern}"
        if isinstance(pattern, URLResolver):
            yield from _routes(pattern.url_patterns, path)
        elif isinstance(pattern, URLPattern):
            callback = pattern.callback
            yield path, getattr(callback, "cls", getattr(callback, "view_class", callback))
