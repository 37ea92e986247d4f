"""How each account tied out last: a light, its figures, and the report behind them.

A tie-out of a million lines takes seconds, so what it came to is kept, in Redis, with the moment it
was known at; the report as known at that moment shows the same figures whenever it is opened.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import Max, Prefetch
from django.urls import reverse
from django.utils import timezone

from ledger.money import Money
from payments import cache
from reconciliation.models import SignOff, SourceAccount
from reconciliation.reports import known_horizon, tie_out_report
from reconciliation.selectors import latest_day

KEPT_SECONDS = 40 * 24 * 3600
FRESH = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Proof:
    """What a tie-out came to, as texts of the report."""

    day: str
    known_at: str
    book: str
    statement: str
    open: str
    difference: str
    open_items: int

    def is_fresh(self, day: date) -> bool:
        age = timezone.now() - datetime.fromisoformat(self.known_at)
        return self.day == day.isoformat() and age < FRESH


@dataclass(frozen=True, slots=True)
class Light:
    """`proof` is None as long as nobody has worked it out."""

    account: SourceAccount
    day: date
    proof: Proof | None
    stated_until: date | None
    signed: str

    @property
    def tone(self) -> str:
        """good: nothing is open; warn: all is explained, or a statement is missing; else bad."""
        if self.proof is None:
            return ""
        if Money.of(self.proof.difference, self.account.currency):
            return "bad"
        if self.is_late or self.proof.open_items:
            return "warn"
        return "good"

    @property
    def said(self) -> str:
        """The light in words, for whoever does not see colours."""
        if self.stated_until is None:
            return "No statement yet"
        words = {
            "good": "Ties out",
            "warn": "Explained by open items",
            "bad": "Does not tie out",
            "": "Not worked out yet",
        }
        if self.is_late and self.tone == "warn":
            return f"No statement since {self.stated_until}"
        return words[self.tone]

    @property
    def known_at(self) -> datetime | None:
        return datetime.fromisoformat(self.proof.known_at) if self.proof else None

    @property
    def is_fresh(self) -> bool:
        return self.proof is not None and self.proof.is_fresh(self.day)

    @property
    def is_late(self) -> bool:
        return self.stated_until is None or self.stated_until < self.day

    @property
    def url(self) -> str:
        known_at = self.proof.known_at if self.proof else ""
        return report_url(self.account, self.day, known_at)


def report_url(account: SourceAccount, day: date, known_at: str) -> str:
    url = reverse("admin:reconciliation_sourceaccount_tie_out", args=[account.pk])
    moment = f"&known_at={known_at.replace('+', '%2B')}" if known_at else ""
    return f"{url}?day={day}{moment}"


def lights() -> list[Light]:
    """Of every account at the end of the latest day any statement covers; none before that."""
    day = latest_day()
    if day is None:
        return []
    signed = SignOff.objects.filter(day=day).exclude(status=SignOff.Status.WITHDRAWN)
    accounts = list(
        SourceAccount.objects.select_related("source", "ledger_account")
        .prefetch_related(Prefetch("sign_offs", signed, to_attr="of_the_day"))
        .annotate(stated_until=Max("statements__last_day"))
        .order_by("source__code", "identifier", "currency")
    )
    proofs = _recall(accounts, day)
    return [
        Light(
            account,
            day,
            proofs.get(account.pk),
            account.stated_until,
            next((f"{each.status.lower()}" for each in account.of_the_day), ""),
        )
        for account in accounts
    ]


def work_out(found: list[Light]) -> list[Light]:
    """The same lights, with a proof of a moment ago for those that have none."""
    return [_worked_out(light) for light in found]


def _worked_out(light: Light) -> Light:
    if light.is_fresh:
        return light
    report = tie_out_report(light.account, day=light.day, known_at=known_horizon())
    figures = {name: report[name] for name in ("day", "known_at", *_AMOUNTS)}
    proof = Proof(**figures, open_items=len(report["open_items"]))
    _keep(light.account, proof)
    return Light(light.account, light.day, proof, light.stated_until, light.signed)


_AMOUNTS = ("book", "statement", "open", "difference")


def _key(account: SourceAccount) -> str:
    return f"tieout:light:{connection.settings_dict['NAME']}:{account.pk}"


def _recall(accounts: Sequence[SourceAccount], day: date) -> dict[int, Proof]:
    keys = [_key(account) for account in accounts]
    try:
        texts: Any = cache.ask(lambda client: client.mget(keys)) if keys else []
    except cache.Unreachable:
        return {}
    proofs = {
        account.pk: Proof(**json.loads(text))
        for account, text in zip(accounts, texts, strict=True)
        if text
    }
    return {pk: proof for pk, proof in proofs.items() if proof.day == day.isoformat()}


def _keep(account: SourceAccount, proof: Proof) -> None:
    text = json.dumps(asdict(proof))
    try:
        cache.ask(lambda client: client.set(_key(account), text, ex=KEPT_SECONDS))
    except cache.Unreachable:
        return
