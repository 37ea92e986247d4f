"""Results, as a table for the terminal or for a README."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True)
class Table:
    title: str
    columns: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]

    def as_markdown(self) -> str:
        rows = [self.columns, tuple("---" for _ in self.columns), *self.rows]
        return "\n".join(
            [f"### {self.title}", "", *("| " + " | ".join(row) + " |" for row in rows)]
        )

    def as_text(self) -> str:
        """Words to the left, numbers to the right."""
        widths = [max(map(len, column)) for column in zip(self.columns, *self.rows, strict=True)]
        lines = [_line(row, widths) for row in (self.columns, *self.rows)]
        return "\n".join([self.title, "-" * max(map(len, lines)), *lines])


def _line(row: tuple[str, ...], widths: list[int]) -> str:
    cells = [
        cell.rjust(width) if column and cell[:1].isdigit() else cell.ljust(width)
        for column, (cell, width) in enumerate(zip(row, widths, strict=True))
    ]
    return "  ".join(cells).rstrip()


@dataclass(frozen=True)
class Goal:
    """The ratio to reach; `says` is how the table writes it."""

    ratio: float
    says: str = ""

    def __str__(self) -> str:
        return self.says or f"≥ {self.ratio:g}"


GOAL_COLUMNS = ("what", "per second", "against", "its rate", "ratio", "goal", "met")


def goal_row(
    what: str, rates: list[float], against: str, other: list[float], goal: Goal | None = None
) -> tuple[str, ...]:
    """One line of GOAL_COLUMNS. The ratio is the median of the ratios of each round."""
    ratio = median(mine / theirs for mine, theirs in zip(rates, other, strict=True))
    met = "" if goal is None else "yes" if ratio >= goal.ratio else "no"
    return (
        what,
        f"{median(rates):,.0f}",
        against,
        f"{median(other):,.0f}",
        f"{ratio:.3g}" if ratio >= 10 else f"{ratio:.2f}",
        str(goal or ""),
        met,
    )
