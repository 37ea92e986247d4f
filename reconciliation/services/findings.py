"""Findings that no statement of SQL makes: unreadable lines, balances, disputes in no report."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.utils import timezone

from ledger.money import Money
from ledger.states import transition
from payments.calendar import add_business_days
from payments.models import Dispute
from reconciliation.continuity import findings_of_account
from reconciliation.days import end_of
from reconciliation.models import (
    Discrepancy,
    ReconciliationRun,
    Source,
    SourceAccount,
    Statement,
    StatementLine,
)
from reconciliation.selectors import balance_gaps
from reconciliation.services.discrepancies import NOT_ENDED
from reconciliation.sign_off import quarantined_lines

# Statuses that evidence may end; a write-off that somebody asked for is decided by a person.
WORKED = (Discrepancy.Status.OPEN, Discrepancy.Status.INVESTIGATING)
# What tells a finding from an earlier one of the same subject.
FIGURES = ("amount", "expected", "actual")


def open_unparsed_lines(source: Source, run: ReconciliationRun) -> None:
    """Each quarantined line is a discrepancy until somebody corrected it or left it out."""
    kind = Discrepancy.Type.UNPARSED_LINE
    lines = {f"{kind}:rejected:{line.pk}": line for line in quarantined_lines(source)}
    Discrepancy.objects.filter(source=source, type=kind, status__in=WORKED).exclude(
        key__in=lines
    ).update(status=Discrepancy.Status.RESOLVED, resolved_at=timezone.now(), resolved_by=run)
    keep(
        [
            Discrepancy(
                key=key,
                type=kind,
                source=source,
                reference=f"{line.file.public_id}:{line.line_no}",
                currency="XXX",  # ISO 4217: no currency; nothing could be read
                amount=0,
                actual=line.reason[:80],
                since=run.as_of,
                opened_by=run,
                opened_at=timezone.now(),
            )
            for key, line in lines.items()
        ]
    )


def judge_balances(source: Source, run: ReconciliationRun) -> None:
    """Each statement that lines seem to be missing from or wrong in is one too.

    That is: its closing balance is not the opening plus all lines since; or it contradicts its own
    totals or the numbers of its neighbours, and no balance settles that. What later statements
    explained is resolved.
    """
    found = [
        discrepancy
        for account in source.accounts.all()
        for discrepancy in (*_gaps(account, run), *_breaks(account, run))
    ]
    Discrepancy.objects.filter(
        source=source,
        type=Discrepancy.Type.BALANCE_GAP,
        status__in=WORKED,
        since__lte=run.as_of,
    ).exclude(key__in=[discrepancy.key for discrepancy in found]).update(
        status=Discrepancy.Status.RESOLVED, resolved_at=timezone.now(), resolved_by=run
    )
    keep(found)


def judge_disputes(source: Source, run: ReconciliationRun, *, only: Dispute | None = None) -> None:
    """Each dispute through the source's gateway that is in no report is missing, or not due yet.

    So is the money of a won one. It is due as many business days after the money moved as the
    gateway's contract gives a payment. A processor that reported nothing so far has not left
    anything out.
    """
    gateway, zone = source.gateway, source.time_zone
    if gateway is None or not StatementLine.objects.filter(source_account__source=source).exists():
        return
    through = Dispute.objects.filter(payment__gateway=gateway).order_by("pk")
    if only is not None:
        through = through.filter(pk=only.pk)
    end_of_day = end_of(run.as_of, zone)
    taken = through.filter(match=None, effective_at__lt=end_of_day)
    won = through.filter(status=Dispute.Status.WON, won_match=None, won_at__lt=end_of_day)
    keep(
        [
            *(_absent(dispute, source, run, dispute.effective_at) for dispute in taken),
            *(_absent(dispute, source, run, dispute.won_at, is_won=True) for dispute in won),
        ]
    )


def _absent(
    dispute: Dispute,
    source: Source,
    run: ReconciliationRun,
    moved_at: datetime | None,
    *,
    is_won: bool = False,
) -> Discrepancy:
    assert source.gateway is not None
    assert moved_at is not None
    moved_on = moved_at.astimezone(source.time_zone).date()
    due_on = add_business_days(moved_on, source.gateway.settlement_days)
    types = Discrepancy.Type
    subject = f"{'won_dispute' if is_won else 'dispute'}:{dispute.pk}"
    amount = dispute.amount if is_won else -dispute.amount
    missing = f"{types.DISPUTE_NOT_IN_SETTLEMENT}:{subject}"
    # A run for an earlier day does not take back that it is missing by now.
    is_missing = due_on <= run.as_of or Discrepancy.objects.filter(key=missing).exists()
    kind = types.DISPUTE_NOT_IN_SETTLEMENT if is_missing else types.SETTLEMENT_PENDING
    return Discrepancy(
        key=f"{kind}:{subject}",
        type=kind,
        source=source,
        reference=dispute.reference[:255],
        currency=dispute.currency,
        amount=amount,
        expected=f"{amount} {dispute.currency}",
        since=due_on if is_missing else moved_on,
        dispute=dispute,
        opened_by=run,
        opened_at=timezone.now(),
    )


def keep(found: list[Discrepancy]) -> None:
    """Open what is new, and again what evidence had ended or what is not what it was.

    What a person ended as it still is stays ended.
    """
    Discrepancy.objects.bulk_create(found, ignore_conflicts=True)
    fresh = {discrepancy.key: discrepancy for discrepancy in found}
    for known in Discrepancy.objects.select_for_update().filter(key__in=fresh).order_by("pk"):
        figures = {name: getattr(fresh[known.key], name) for name in FIGURES}
        is_other = figures != {name: getattr(known, name) for name in FIGURES}
        if known.status == Discrepancy.Status.RESOLVED and (is_other or not known.ended_by):
            transition(known, Discrepancy.Status.OPEN, **NOT_ENDED, **figures)
        elif is_other:
            Discrepancy.objects.filter(pk=known.pk).update(**figures)


def _gaps(account: SourceAccount, run: ReconciliationRun) -> Iterator[Discrepancy]:
    for gap in balance_gaps(account, day=run.as_of):
        yield _about(
            gap.statement,
            run,
            amount=gap.amount,
            expected=Money(gap.computed, account.currency).text,
            actual=Money(gap.reported, account.currency).text,
        )


def _breaks(account: SourceAccount, run: ReconciliationRun) -> Iterator[Discrepancy]:
    for finding in findings_of_account(account, day=run.as_of):
        if finding.is_break:
            yield _about(
                finding.statement, run, what=f"{finding.code}:", actual=finding.message[:80]
            )


def _about(
    statement: Statement, run: ReconciliationRun, *, what: str = "", **figures: Any
) -> Discrepancy:
    """`what` keeps several about one statement apart."""
    return Discrepancy(
        key=f"{Discrepancy.Type.BALANCE_GAP}:{what}statement:{statement.pk}",
        type=Discrepancy.Type.BALANCE_GAP,
        source_id=statement.source_account.source_id,
        reference=statement.identifier or statement.file.public_id,
        currency=statement.source_account.currency,
        since=statement.last_day,
        opened_by=run,
        opened_at=timezone.now(),
        **{"amount": 0, **figures},
    )
