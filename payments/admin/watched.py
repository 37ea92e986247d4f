"""What is under way and looked at meanwhile: `admin/progress.html` shows it and asks again."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Watched:
    """`url` answers with the same piece of the page, as it is then; it is asked while `is_running`.

    `percent` is None where nobody can tell.
    """

    title: str
    state: str
    said: str
    url: str
    is_running: bool
    percent: int | None = None
    tone: str = ""
