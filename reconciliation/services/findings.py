"""Findings about whole statements: lines nobody could read, balances that do not add up."""

from django.utils import timezone

from ledger.money import Money
from reconciliation.models import Discrepancy, ReconciliationRun, RejectedLine, Source
from reconciliation.selectors import balance_gaps
from reconciliation.services.imports import is_unbooked


def open_unparsed_lines(source: Source, run: ReconciliationRun) -> None:
    """Each line that could not be read is a discrepancy until somebody looked at it."""
    rejected = RejectedLine.objects.select_related("file").filter(file__source=source)
    Discrepancy.objects.bulk_create(
        [
            Discrepancy(
                key=f"{Discrepancy.Type.UNPARSED_LINE}:rejected:{line.pk}",
                type=Discrepancy.Type.UNPARSED_LINE,
                source=source,
                reference=f"{line.file.public_id}:{line.line_no}",
                currency="XXX",  # ISO 4217: no currency; nothing could be read
                amount=0,
                actual=line.reason[:80],
                since=run.as_of,
                opened_by=run,
                opened_at=timezone.now(),
            )
            for line in rejected
            if not is_unbooked(line)
        ],
        ignore_conflicts=True,
    )


def judge_balances(source: Source, run: ReconciliationRun) -> None:
    """Each statement whose closing balance is not the opening plus all lines since is one too.

    A gap that later statements filled is resolved.
    """
    gaps = {
        f"{Discrepancy.Type.BALANCE_GAP}:statement:{gap.statement.pk}": (account, gap)
        for account in source.accounts.all()
        for gap in balance_gaps(account, day=run.as_of)
    }
    Discrepancy.objects.filter(
        source=source,
        type=Discrepancy.Type.BALANCE_GAP,
        status=Discrepancy.Status.OPEN,
        since__lte=run.as_of,
    ).exclude(key__in=gaps).update(
        status=Discrepancy.Status.RESOLVED, resolved_at=timezone.now(), resolved_by=run
    )
    Discrepancy.objects.bulk_create(
        [
            Discrepancy(
                key=key,
                type=Discrepancy.Type.BALANCE_GAP,
                source=source,
                reference=gap.statement.identifier or gap.statement.file.public_id,
                currency=account.currency,
                amount=gap.amount,
                expected=Money(gap.computed, account.currency).text,
                actual=Money(gap.reported, account.currency).text,
                since=gap.statement.last_day,
                opened_by=run,
                opened_at=timezone.now(),
            )
            for key, (account, gap) in gaps.items()
        ],
        ignore_conflicts=True,
    )
