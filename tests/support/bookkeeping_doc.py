"""The generated part of docs/bookkeeping.md: what the bookkeeping functions return, drawn.

`WRITE_DOCS=1 make test ARGS=tests/architecture/test_bookkeeping_doc.py` writes it.
"""

import inspect
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from itertools import zip_longest

from config.configuration import PLATFORM_CHART
from ledger.entries import Direction, Line
from ledger.money import Money
from tests.support.bookkeeping_examples import EXAMPLES, STORY, Example

START, END = "<!-- drawn from the functions: start -->", "<!-- drawn from the functions: end -->"
WIDTH_MAX = 100
GAP = "   "


def drawn_into(page: str) -> str:
    """The page with everything between its two marks drawn anew."""
    before, rest = page.split(START)
    _, after = rest.split(END)
    return "\n".join([before + START, *_sections(), END + after])


def _sections() -> Iterator[str]:
    yield from (
        "",
        "## Accounts",
        "",
        "| code starts with | type | what is on it |",
        "|---|---|---|",
    )
    for group in tomllib.loads(PLATFORM_CHART.read_text())["account_groups"]:
        yield f"| `{group['prefix']}` | {group['type']} | {group['name']} |"
    yield from (
        "",
        "## Business events",
        "",
        "| event | debit | credit | function |",
        "|---|---|---|---|",
    )
    for example in EXAMPLES:
        sides = (_side(example, direction) for direction in (Direction.DEBIT, Direction.CREDIT))
        yield f"| {example.event} | {' | '.join(sides)} | `{example.function_name}` |"
    yield from ("", "## The same as T-accounts")
    for example in EXAMPLES:
        yield from _section(example)
    yield from ("", "## From the sale to the merchant's bank", "")
    yield from (f"{number}. {example.event}" for number, example in enumerate(STORY, 1))
    lines = [
        (str(number), line)
        for number, example in enumerate(STORY, 1)
        for line in example.entry.lines
    ]
    yield from ("", "```", *t_accounts(lines, is_closed=True), "```")


def _side(example: Example, direction: Direction) -> str:
    return "; ".join(
        f"`{line.account.code}` {example.letters[line.amount]}"
        for line in example.entry.lines
        if line.direction == direction
    )


def _section(example: Example) -> Iterator[str]:
    entry = example.entry
    event = example.event[0].upper() + example.event[1:]
    yield from ("", f"### {event}", "")
    saying = inspect.getdoc(example.function)
    if saying:
        yield from (" ".join(saying.split()), "")
    yield f"Idempotency key `{entry.idempotency_key}`, reference `{entry.reference}`."
    lines = [(example.letters[line.amount], line) for line in entry.lines]
    yield from ("", "```", *t_accounts(lines), "```")


def t_accounts(lines: Iterable[tuple[str, Line]], *, is_closed: bool = False) -> list[str]:
    """Labelled lines as T-accounts side by side; closed ones end with their balance."""
    by_code: dict[str, list[tuple[str, Line]]] = {}
    for label, line in lines:
        by_code.setdefault(line.account.code, []).append((label, line))
    rows: list[list[list[str]]] = [[]]
    for labelled in by_code.values():
        block = _t_account(labelled, is_closed=is_closed)
        if rows[-1] and len(GAP.join(each[0] for each in [*rows[-1], block])) > WIDTH_MAX:
            rows.append([])
        rows[-1].append(block)
    return [line for row in rows for line in ("", *_side_by_side(row))][1:]


def _t_account(labelled: Sequence[tuple[str, Line]], *, is_closed: bool) -> list[str]:
    """One account, all lines of one width: its code, its postings and perhaps its balance."""
    code, currency = labelled[0][1].account.code, labelled[0][1].account.currency
    left, right = (
        [
            f"{label} {Money(line.amount, currency).text:>9} "
            for label, line in labelled
            if line.direction == direction
        ]
        for direction in (Direction.DEBIT, Direction.CREDIT)
    )
    half = max(len(code) // 2, *(len(text) + 1 for text in left + right))
    rule = "─" * half
    block = [code.center(2 * half + 1), f"{rule}┬{rule}"]
    block += [f"{a:>{half}}│{b:>{half}}" for a, b in zip_longest(left, right, fillvalue="")]
    if is_closed:
        balance = Money(sum(line.signed_amount for _, line in labelled), currency)
        on_left = f"{balance.text} " if balance.amount >= 0 else ""
        on_right = f"{(-balance).text} " if balance.amount <= 0 else ""
        block += [f"{rule}┼{rule}", f"{on_left:>{half}}│{on_right:>{half}}"]
    return block


def _side_by_side(blocks: list[list[str]]) -> list[str]:
    widths = [len(block[0]) for block in blocks]
    return [
        GAP.join(part.ljust(width) for part, width in zip(parts, widths, strict=True)).rstrip()
        for parts in zip_longest(*blocks, fillvalue="")
    ]
