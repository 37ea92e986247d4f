"""How each account tied out last: a light, its figures, and the report behind them.

A tie-out of a million lines takes seconds, so what it came to after a run is kept; the report as
known at that moment shows the same figures whenever it is opened.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Max
from django.urls import reverse
from django.utils import timezone

from ledger.money import Money
from reconciliation.models import AccountProof, SignOff, SourceAccount
from reconciliation.reports import known_horizon
from reconciliation.selectors import latest_day
from reconciliation.services.account_proofs import keep_proofs

FRESH = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Light:
    """`proof` is None as long as none is kept. `newest` is the day of the newest statement."""

    account: SourceAccount
    newest: date
    proof: AccountProof | None
    stated_until: date | None
    signed: str = ""

    @property
    def day(self) -> date:
        return self.proof.day if self.proof else self.newest

    @property
    def tone(self) -> str:
        """good: nothing is open; warn: all is explained, or something is missing; else bad."""
        if self.proof is None:
            return ""
        if self.proof.difference:
            return "bad"
        if self.is_late or self.is_behind or self.proof.open_items:
            return "warn"
        return "good"

    @property
    def said(self) -> str:
        """The light in words, for whoever does not see colours."""
        if self.stated_until is None:
            return "No statement yet"
        if self.tone in ("", "bad"):
            return "Does not tie out" if self.tone else "Not worked out yet"
        if self.is_late:
            return f"No statement since {self.stated_until}"
        if self.is_behind:
            return f"As of {self.day}; newer statements are not worked out yet"
        return "Explained by open items" if self.tone == "warn" else "Ties out"

    @property
    def is_late(self) -> bool:
        return self.stated_until is None or self.stated_until < self.newest

    @property
    def is_behind(self) -> bool:
        return self.day < self.newest

    @property
    def figures(self) -> dict[str, Money]:
        """Book, statement, open and difference."""
        proof = self.proof
        if proof is None:
            return {}
        amounts = {
            "book": proof.book,
            "statement": proof.statement,
            "open": proof.explained,
            "difference": proof.difference,
        }
        return {name: Money(minor, self.account.currency) for name, minor in amounts.items()}

    @property
    def url(self) -> str:
        return report_url(self.account, self.day, self.proof.known_at if self.proof else None)


def report_url(account: SourceAccount, day: date, known_at: datetime | None) -> str:
    url = reverse("admin:reconciliation_sourceaccount_tie_out", args=[account.pk])
    if known_at is None:
        return f"{url}?day={day}"
    moment = known_at.isoformat(timespec="microseconds").replace("+", "%2B")
    return f"{url}?day={day}&known_at={moment}"


def lights() -> list[Light]:
    """Of every account, as kept after the last run; none as long as no statement is loaded."""
    newest = latest_day()
    if newest is None:
        return []
    accounts = (
        SourceAccount.objects.select_related("source", "proof")
        .annotate(stated_until=Max("statements__last_day"))
        .order_by("source__code", "identifier", "currency")
    )
    found = [Light(each, newest, _proof_of(each), each.stated_until) for each in accounts]
    signed = _signed({light.day for light in found})
    return [
        Light(
            light.account,
            newest,
            light.proof,
            light.stated_until,
            signed.get((light.account.pk, light.day), ""),
        )
        for light in found
    ]


def work_out() -> None:
    """Every account is proved again as of now, but for those that were a moment ago."""
    newest, now = latest_day(), timezone.now()
    if newest is None:
        return
    fresh = AccountProof.objects.filter(day=newest, known_at__gt=now - FRESH)
    accounts = SourceAccount.objects.select_related("source", "ledger_account")
    due = accounts.exclude(proof__in=fresh).order_by("pk")
    keep_proofs(due, day=newest, known_at=known_horizon())


def _proof_of(account: SourceAccount) -> AccountProof | None:
    proof: AccountProof | None = getattr(account, "proof", None)
    return proof


def _signed(days: set[date]) -> dict[tuple[int, date], str]:
    """What became of the sign-off of an account and day."""
    standing = SignOff.objects.filter(day__in=days).exclude(status=SignOff.Status.WITHDRAWN)
    return {
        (account, day): status.lower()
        for account, day, status in standing.values_list("source_account_id", "day", "status")
    }
