"""OFX 1 and 2, QFX: statements of bank, card and investment accounts (formats.md §4).

The numbers of the lines are those of the transactions in the file, from 1: many files have one
physical line. An investment account yields the movements of its money; what moves securities is
rejected. There is a closing balance and never an opening one.
"""

from collections.abc import Callable, Iterator
from typing import BinaryIO, TypeVar

from .ofx_entry import Entry, read_ofx_amount, read_ofx_day
from .ofx_tokens import TEXT_CHARS_MAX, Sign, is_ofx, tokens
from .records import ImportRefused, Record, RejectedLine, StatementHeader, StatementTrailer
from .values import Unreadable, read_currency

__all__ = ["is_ofx", "parse"]

T = TypeVar("T")

STATEMENTS = frozenset({"STMTRS", "CCSTMTRS", "INVSTMTRS"})
ACCOUNTS = frozenset({"BANKACCTFROM", "CCACCTFROM", "INVACCTFROM"})
LISTS = frozenset({"BANKTRANLIST", "INVTRANLIST", "BANKTRANLISTP"})
ENTRIES = frozenset({"STMTTRN", "STMTTRNP", "INVTRAN"})
# Aggregates whose fields must not be taken for those of the one around them.
OTHERS = frozenset(
    "OFX STATUS LEDGERBAL AVAILBAL BALLIST BAL INVBAL INVPOSLIST PAYEE EXTDPAYEE BANKACCTTO"
    " CCACCTTO CURRENCY ORIGCURRENCY IMAGEDATA".split()
)
AGGREGATES = STATEMENTS | ACCOUNTS | LISTS | ENTRIES | OTHERS
# What a statement says about itself; the first two before its transactions.
CURRENCY, ACCOUNT = "STATEMENT.CURDEF", "ACCOUNT.ACCTID"
FIRST_DAY, LAST_DAY = "LIST.DTSTART", "LIST.DTEND"
BALANCE, BALANCE_ON = "LEDGERBAL.BALAMT", "LEDGERBAL.DTASOF"
FIELDS = frozenset({CURRENCY, ACCOUNT, FIRST_DAY, LAST_DAY, BALANCE, BALANCE_ON})
# Some banks use the name of an aggregate for a plain field.
PLAIN_TOO = frozenset({"PAYEE", "CURRENCY"})
DEPTH_MAX = 64
# A mark that some systems put at the end of a text.
END_MARKS = " \t\r\n\x1a\ufeff"


def parse(file: BinaryIO) -> Iterator[Record]:
    """Every statement of the file, transactions signed as TRNAMT is.

    Refuses a file that is cut off, goes on behind its end or holds no statement, with the reason
    that the bank gives if it gives one.
    """
    reader = _File()
    for sign, value in tokens(file):
        yield from reader.take(sign, value)
    yield from reader.end()


class _Statement:
    """What is known of a statement so far."""

    def __init__(self) -> None:
        self.said: dict[str, str] = {}
        self.is_open = False
        self.problems: list[RejectedLine] = []

    def say(self, field: str, value: str) -> None:
        """Takes a field. Whose transactions they are must be said once, and before them."""
        is_new = field not in self.said
        known = self.said.setdefault(field, value)
        if field in (CURRENCY, ACCOUNT) and (known != value or (is_new and self.is_open)):
            when = "behind its transactions" if is_new else "twice"
            raise ImportRefused("malformed_ofx", f"a statement that says {field} {when}")
        if field in (BALANCE, BALANCE_ON) and known != value:
            self._reject(Unreadable("balance", f"{field} is {known[:40]!r} and {value[:40]!r}"))

    @property
    def currency(self) -> str:
        """As the statement says it, "" if it does not: an entry may."""
        return self.said.get(CURRENCY, "")

    def header(self) -> StatementHeader:
        return StatementHeader(
            account="".join(self.said.get(ACCOUNT, "").split()),
            currency=self._read(CURRENCY, read_currency) or "",
            statement_id="",
            sequence="",
            first_day=self._read(FIRST_DAY, read_ofx_day),
            last_day=self._read(LAST_DAY, read_ofx_day),
        )

    def trailer(self) -> StatementTrailer:
        return StatementTrailer(
            closing=self._read(BALANCE, read_ofx_amount),
            closing_on=self._read(BALANCE_ON, read_ofx_day),
        )

    def _read(self, field: str, read: Callable[[str, str], T]) -> T | None:
        said = self.said.get(field, "")
        try:
            return read(said, field) if said else None
        except Unreadable as problem:
            self._reject(problem)
            return None

    def _reject(self, problem: Unreadable) -> None:
        self.problems.append(RejectedLine(0, str(problem), ""))


class _File:
    """Turns tags and texts, as they come, into records."""

    def __init__(self) -> None:
        self._open: list[str] = []
        self._leaf = ""
        self._text = ""
        self._is_empty = True  # nothing has followed the tag that opened last
        self._is_over = False
        self._statement: _Statement | None = None
        self._entry: Entry | None = None
        self._entries_count = 0
        self._statements_count = 0
        self._status: dict[str, str] = {}
        self._errors: list[str] = []

    def take(self, sign: Sign, value: str) -> Iterator[Record]:
        """The records that the tag or text completes."""
        if sign is Sign.TEXT:
            self._take_text(value)
            return
        if self._is_over:
            raise ImportRefused("trailing_content", f"<{value[:40]}> behind the end of the OFX")
        self._close_leaf()
        if sign is Sign.OPEN:
            yield from self._open_tag(value)
        elif value in self._open:
            yield from self._close_to(value)
        self._is_empty = sign is Sign.OPEN

    def end(self) -> Iterator[Record]:
        """What is to be said when the file is over."""
        if not self._is_over:
            code = "truncated" if self._open else "not_this_format"
            raise ImportRefused(code, "the file ends without </OFX>" if self._open else "no <OFX>")
        said = "; ".join(self._errors) or "it holds no statement of an account"
        if not self._statements_count:
            raise ImportRefused("no_statements", f"the bank's answer: {said}"[:300])
        for error in self._errors:
            yield RejectedLine(0, f"bank_error: {error}"[:300], "")

    def _take_text(self, text: str) -> None:
        if self._leaf:
            self._text += text
            if len(self._text) > TEXT_CHARS_MAX:
                raise ImportRefused("element_too_large", f"a {self._leaf[:40]} too long to hold")
        elif self._is_over:
            if text.strip(END_MARKS):
                raise ImportRefused("trailing_content", "text behind the end of the OFX")
        elif self._open and self._open[-1] in PLAIN_TOO and self._is_empty:
            self._leaf, self._text = self._open.pop(), text
        elif self._entry is not None:
            self._entry.add_stray(text)

    def _close_leaf(self) -> None:
        name, value = self._leaf, " ".join(self._text.split())
        self._leaf = self._text = ""
        if not value or not self._open:
            return
        outer = self._open[-1]
        if self._entry is not None:
            self._entry.add(name if outer in ENTRIES else f"{outer}.{name}", value)
        elif outer == "STATUS":
            self._status[name] = value
        elif self._statement is not None:
            self._say(self._statement, outer, name, value)

    def _say(self, statement: _Statement, outer: str, name: str, value: str) -> None:
        kind = "STATEMENT" if outer in STATEMENTS else "ACCOUNT" if outer in ACCOUNTS else outer
        field = f"{'LIST' if outer in LISTS else kind}.{name}"
        if field in FIELDS:
            statement.say(field, value)

    def _open_tag(self, name: str) -> Iterator[Record]:
        if name not in AGGREGATES:
            self._leaf = name
            return
        if name == "OFX" and self._open:
            raise ImportRefused("malformed_ofx", "an <OFX> within another")
        if len(self._open) >= DEPTH_MAX:
            raise ImportRefused("too_deep", f"elements nested deeper than {DEPTH_MAX}")
        if name in ENTRIES:
            if self._entry is not None:
                yield from self._close_entry(is_closed=False)
            yield from self._open_entry(name)
        elif name in STATEMENTS:
            if self._statement is not None:
                raise ImportRefused("malformed_ofx", f"a {name} within another statement")
            self._statement = _Statement()
            self._statements_count += 1
        if self._open or name == "OFX":
            self._open.append(name)

    def _open_entry(self, name: str) -> Iterator[Record]:
        statement = self._statement
        if statement is None:
            raise ImportRefused("malformed_ofx", f"a {name} outside of a statement")
        if not statement.is_open:
            statement.is_open = True
            yield statement.header()
        self._entries_count += 1
        self._entry = Entry(self._entries_count, name)

    def _close_to(self, name: str) -> Iterator[Record]:
        """Closes the innermost `name` and, with it, all that is open within."""
        while True:
            closing = self._open.pop()
            if closing in ENTRIES and self._entry is not None:
                yield from self._close_entry(is_closed=closing == name)
            elif closing == "STATUS":
                self._close_status()
            elif closing in STATEMENTS:
                if closing != name:
                    raise ImportRefused("malformed_ofx", f"a {closing} that is not closed")
                yield from self._close_statement()
            if closing == name:
                break
        self._is_over = not self._open

    def _close_entry(self, *, is_closed: bool) -> Iterator[Record]:
        entry, self._entry = self._entry, None
        statement = self._statement
        assert entry is not None
        assert statement is not None, "an entry stands in a statement"
        entry.is_closed = is_closed
        yield entry.record(statement.currency)

    def _close_status(self) -> None:
        status, self._status = self._status, {}
        if status.get("SEVERITY", "").upper() == "ERROR":
            self._errors.append(f"{status.get('CODE', '')} {status.get('MESSAGE', '')}".strip())

    def _close_statement(self) -> Iterator[Record]:
        statement, self._statement = self._statement, None
        assert statement is not None, "a statement opens before it closes"
        if not statement.is_open:
            yield statement.header()
        trailer = statement.trailer()
        yield from statement.problems
        yield trailer
