"""What is found about a line of a bank, or about money that should be on one."""

from django.utils import timezone

from reconciliation.models import (
    Discrepancy,
    ProcessorPayout,
    ReconciliationRun,
    Source,
    StatementLine,
)


def bank_finding(
    kind: Discrepancy.Type,
    source: Source,
    run: ReconciliationRun,
    line: StatementLine | None,
    amount: int,
    *,
    reference: str,
    payout: ProcessorPayout | None = None,
    key: str = "",
    expected: int | None = None,
) -> Discrepancy:
    """Something about a line, or about a processor's payout that is in none; not saved."""
    subject = line or payout
    assert subject is not None
    return Discrepancy(
        key=f"{kind}:{key or f'line:{subject.pk}'}",
        type=kind,
        source=source,
        reference=reference,
        currency=subject.currency,
        amount=amount,
        expected="" if expected is None else f"{expected} {subject.currency}",
        actual="" if line is None else f"{line.net} {subject.currency}",
        since=line.booked_on if line else payout.due_on if payout else run.as_of,
        processor_payout=payout,
        line=line,
        opened_by=run,
        opened_at=timezone.now(),
    )


def name_of(line: StatementLine) -> str:
    """The bank's or processor's name for it, or ours."""
    return line.external_id or line.public_id
