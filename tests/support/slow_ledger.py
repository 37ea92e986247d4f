"""The rules of posting and of holds, one thing at a time, in the plainest Python there is.

What the real ledger does with thousands of entries at once is held against this.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from ledger.entries import AccountRef, Direction, Entry
from tests.support.books import query

GROWS_BY_DEBITS = {"asset", "expense"}
ACCOUNTS = """
SELECT owner, code, type, currency, floor, debits, credits,
    CASE WHEN type IN ('asset', 'expense') THEN pending_credits ELSE pending_debits END,
    CASE WHEN type IN ('asset', 'expense') THEN pending_debits ELSE pending_credits END
FROM ledger_account AS account JOIN ledger_accountbalance ON account_id = account.id
"""
ENTRIES = """
SELECT idempotency_key, kind, reference, effective_at, late_from,
    array_agg(owner || '/' || code || ' ' || direction || ' ' || amount
        ORDER BY position)
FROM ledger_journalentry AS entry
JOIN ledger_posting AS posting ON entry_id = entry.id
JOIN ledger_account AS account ON account.id = account_id
GROUP BY entry.id ORDER BY entry.id
"""
HOLDS = "SELECT idempotency_key, amount, captured, status FROM ledger_hold"

Key = tuple[str, str]


@dataclass
class SlowAccount:
    """Minor units; `held` is what open holds keep of it."""

    type: str
    currency: str
    floor: int | None
    debits: int = 0
    credits: int = 0
    held: int = 0

    @property
    def balance(self) -> int:
        difference = self.debits - self.credits
        return difference if self.type in GROWS_BY_DEBITS else -difference


@dataclass
class SlowHold:
    account: Key
    amount: int
    captured: int = 0
    status: str = "HELD"
    captures: set[str] = field(default_factory=set)

    @property
    def remaining(self) -> int:
        return self.amount - self.captured if self.status == "HELD" else 0


@dataclass
class SlowEntry:
    """An entry, and how it was written."""

    entry: Entry
    effective_at: datetime
    late_from: datetime | None

    @property
    def content(self) -> tuple[Any, ...]:
        return content_of(self.entry)


def content_of(entry: Entry) -> tuple[Any, ...]:
    """What must be the same for two entries to be the same."""
    lines = [(*line.account.key, line.direction, line.amount) for line in entry.lines]
    return entry.kind, entry.reference, entry.effective_at, lines


@dataclass
class SlowLedger:
    """Every method says in a word what became of it, and does nothing if that is a refusal."""

    accounts: dict[Key, SlowAccount] = field(default_factory=dict)
    entries: dict[str, SlowEntry] = field(default_factory=dict)
    holds: dict[str, SlowHold] = field(default_factory=dict)
    closed_until: datetime | None = None
    chart: dict[str, str] = field(default_factory=dict)  # types of accounts, by prefix

    def open(self, ref: AccountRef) -> str:
        account = self.accounts.get(ref.key) or self._empty(ref)
        if (account.type, account.currency) != (ref.type, ref.currency):
            is_by_chart = self._type_in_chart(ref) == ref.type
            return "account_exists" if is_by_chart else "account_type_mismatch"
        self.accounts[ref.key] = account
        return "opened"

    def _type_in_chart(self, ref: AccountRef) -> str:
        types = [kind for prefix, kind in self.chart.items() if ref.code.startswith(prefix)]
        return str(types[0] if types else ref.type)

    def _empty(self, ref: AccountRef) -> SlowAccount:
        return SlowAccount(self._type_in_chart(ref), ref.currency, ref.floor)

    def post(self, entry: Entry, *, released: int = 0, released_on: Key | None = None) -> str:
        known = self.entries.get(entry.idempotency_key)
        if known is not None:
            is_same = known.content == content_of(entry)
            return "replayed" if is_same else "idempotency_conflict"
        is_late = self.closed_until is not None and entry.effective_at < self.closed_until
        if is_late and not entry.moves_if_late:
            return "period_closed"

        # On copies, which replace the accounts if nothing is refused.
        after = {key: SlowAccount(**vars(account)) for key, account in self.accounts.items()}
        if released_on is not None:
            after[released_on].held -= released
        for line in entry.lines:
            ref = line.account
            account = after.setdefault(ref.key, self._empty(ref))
            if account.currency != ref.currency:
                return "currency_mismatch"
            if account.type != ref.type:
                return "account_type_mismatch"
            if line.direction == "debit":
                account.debits += line.amount
            else:
                account.credits += line.amount
        for key, account in after.items():
            before = self.accounts[key].balance if key in self.accounts else 0
            if account.floor is None or account.balance >= before:
                continue
            if account.balance - account.held < account.floor:
                return "insufficient_funds"

        self.accounts = after
        self.entries[entry.idempotency_key] = SlowEntry(
            entry,
            self.closed_until if is_late and self.closed_until else entry.effective_at,
            entry.effective_at if is_late else None,
        )
        return "posted"

    def place_hold(self, key: str, ref: AccountRef, amount: int) -> str:
        is_new = ref.key not in self.accounts
        opened = self.open(ref)
        if opened != "opened":
            return opened
        outcome = self._place_hold(key, ref.key, amount)
        if is_new and outcome not in ("held", "replayed"):
            del self.accounts[ref.key]
        return outcome

    def _place_hold(self, key: str, account_key: Key, amount: int) -> str:
        known = self.holds.get(key)
        if known is not None:
            is_same = (known.account, known.amount) == (account_key, amount)
            return "replayed" if is_same else "idempotency_conflict"
        account = self.accounts[account_key]
        if account.floor is not None and account.balance - account.held - amount < account.floor:
            return "insufficient_funds"
        account.held += amount
        self.holds[key] = SlowHold(account_key, amount)
        return "held"

    def capture(self, key: str, entry: Entry, *, is_final: bool) -> str:
        hold = self.holds[key]
        if entry.idempotency_key in self.entries:
            is_mine = entry.idempotency_key in hold.captures
            return self.post(entry) if is_mine else "idempotency_conflict"
        if hold.status != "HELD":
            return "hold_ended"
        taken = self._taken(entry, hold.account)
        if taken <= 0:
            return "capture_of_another_account"
        if taken > hold.remaining:
            return "capture_exceeds_hold"
        is_last = is_final or taken == hold.remaining
        outcome = self.post(
            entry,
            released=hold.remaining if is_last else taken,
            released_on=hold.account,
        )
        if outcome == "posted":
            hold.captured += taken
            hold.captures.add(entry.idempotency_key)
            if is_last:
                hold.status = "CAPTURED"
        return outcome

    def _taken(self, entry: Entry, account: Key) -> int:
        change = sum(line.signed_amount for line in entry.lines if line.account.key == account)
        return -change if self.accounts[account].type in GROWS_BY_DEBITS else change

    def end_hold(self, key: str, status: str) -> str:
        hold = self.holds[key]
        if hold.status != "HELD":
            return "hold_ended"
        self.accounts[hold.account].held -= hold.remaining
        hold.status = status
        return "ended"

    def account_rows(self) -> list[tuple[Any, ...]]:
        return sorted(
            (*key, row.type, row.currency, row.floor, row.debits, row.credits, row.held, 0)
            for key, row in self.accounts.items()
        )

    def entry_rows(self) -> list[tuple[Any, ...]]:
        return [
            (
                key,
                known.entry.kind,
                known.entry.reference,
                known.effective_at,
                known.late_from,
                [
                    f"{line.account.owner}/{line.account.code} {line.direction} {line.amount}"
                    for line in known.entry.lines
                ],
            )
            for key, known in self.entries.items()
        ]

    def hold_rows(self) -> list[tuple[Any, ...]]:
        return sorted(
            (key, hold.amount, hold.captured, hold.status) for key, hold in self.holds.items()
        )


def mirrored(slow: SlowLedger, key: str, new_key: str, moment: datetime) -> Entry:
    """The entry that undoes another one: debit and credit exchanged."""
    original = slow.entries[key].entry
    return Entry(
        idempotency_key=new_key,
        kind="reversal",
        reference=original.reference,
        effective_at=moment,
        lines=tuple(
            replace(
                line,
                direction=(
                    Direction.CREDIT if line.direction == Direction.DEBIT else Direction.DEBIT
                ),
            )
            for line in original.lines
        ),
    )


def assert_same_as(slow: SlowLedger) -> None:
    """Every account, balance, entry and hold there is, is as in the slow ledger; no others are."""
    assert sorted(query(ACCOUNTS), key=lambda row: row[:2]) == slow.account_rows()
    assert query(ENTRIES) == slow.entry_rows()
    assert sorted(query(HOLDS)) == slow.hold_rows()
