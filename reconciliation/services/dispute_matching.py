"""Matching a processor's dispute lines: money pulled back, and money that came back."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from django.utils import timezone

from ledger import sql
from ledger.actors import Actor
from ledger.money import Money
from payments.models import Dispute, Payment
from payments.services.disputes import DisputeNotice, record_disputes, record_wins
from reconciliation.days import start_of
from reconciliation.matching_rules import DISPUTE_REFERENCE, DISPUTE_REVERSAL, MatchingRule
from reconciliation.models import Discrepancy, Match, ReconciliationRun, Source, StatementLine
from reconciliation.services.bank_findings import bank_finding, name_of
from reconciliation.services.findings import keep
from reconciliation.services.reversed_disputes import Reversals, shown_by

Kind = Match.Kind
Types = Discrepancy.Type
# What came first in the books is first, in whatever order the files came.
IN_ORDER = ("booked_on", "value_on", "file__name", "file__sha256", "line_no", "pk")


def match_disputes(source: Source, run: ReconciliationRun) -> None:
    """Dispute lines of payments we know open their disputes, and what was won is won."""
    _open_disputes(source, run)
    _win_disputes(source, run)


def _open_disputes(source: Source, run: ReconciliationRun) -> None:
    """A dispute line of one payment we know opens its dispute and matches it."""
    lines, payments, orphans = _recognised(source, run, StatementLine.Kind.DISPUTE)
    notices = [_notice(source, line, payments[line.pk]) for line in lines]
    for line, dispute in zip(lines, _disputes_for(notices), strict=True):
        make_match(run, line, dispute, Kind.DISPUTE, DISPUTE_REFERENCE)
    keep([_finding(Types.ORPHAN_LINE, source, run, line) for line in orphans])


def _win_disputes(source: Source, run: ReconciliationRun) -> None:
    """A line that gives back what a dispute had taken wins that dispute and matches it.

    A second one is a repetition. One that no dispute explains belongs to nobody; until everything
    had its time to come, that is said only if its payment is unknown.
    """
    lines, payments, orphans = _recognised(source, run, StatementLine.Kind.DISPUTE_REVERSAL)
    reversals = Reversals(payments)
    found = [_finding(Types.ORPHAN_LINE, source, run, line) for line in orphans]
    won: list[tuple[StatementLine, Dispute]] = []
    for line in lines:
        dispute = reversals.take(line)
        if dispute is not None:
            won.append((line, dispute))
            make_match(run, line, dispute, Kind.WON_DISPUTE, DISPUTE_REVERSAL)
            found += differences(source, run, line, dispute)
        elif (known := reversals.already_won(line)) is not None:
            found.append(_finding(Types.DUPLICATE_LINE, source, run, line, dispute=known))
        elif run.trigger == ReconciliationRun.Trigger.FULL and not reversals.is_tied(line):
            found.append(_finding(Types.ORPHAN_LINE, source, run, line))
    win(source, won, actor=Actor.system("reconciliation"))
    keep(found)


def win(source: Source, won: Iterable[tuple[StatementLine, Dispute]], *, actor: Actor) -> None:
    """The disputes are won by their lines, as of the days of these. Booking posts it."""
    record_wins(
        {dispute.pk: start_of(line.booked_on, source.time_zone) for line, dispute in won},
        actor=actor,
    )


def make_match(
    run: ReconciliationRun, line: StatementLine, dispute: Dispute, kind: Kind, rule: MatchingRule
) -> None:
    """The line proves that the money of the dispute was pulled back, or came back."""
    Match.objects.create(
        run=run,
        kind=kind,
        rule=rule.name,
        rule_version=rule.version,
        evidence={"reported": line.reference, "merchant": line.merchant},
        line=line,
        amount=line.net,
        created_at=timezone.now(),
        **{str(kind): dispute},
    )


def differences(
    source: Source, run: ReconciliationRun, line: StatementLine, dispute: Dispute
) -> list[Discrepancy]:
    """What came back is not what had been pulled back; by the first difference."""
    shown = shown_by(line, dispute)
    if shown == dispute.money:
        return []
    is_other_currency = shown.currency != dispute.currency
    kind = Types.CURRENCY_MISMATCH if is_other_currency else Types.AMOUNT_MISMATCH
    finding = _finding(kind, source, run, line, dispute=dispute)
    finding.key = f"{kind}:won_dispute:{dispute.pk}"
    finding.reference = dispute.reference[:255]
    finding.currency = dispute.currency
    finding.amount = dispute.amount if is_other_currency else shown.amount - dispute.amount
    finding.expected = f"{dispute.amount} {dispute.currency}"
    finding.actual = f"{shown.amount} {shown.currency}"
    return [finding]


def _recognised(
    source: Source, run: ReconciliationRun, kind: StatementLine.Kind
) -> tuple[list[StatementLine], dict[int, Payment], list[StatementLine]]:
    """Lines of a kind about one payment that we know, their payments by line, and lines of none.

    A line that may be about several is in neither list: nobody may guess.
    """
    payments_of_line: dict[int, list[int]] = defaultdict(list)
    named_payment: dict[int, int] = {}
    rows = sql.rows(
        "reconciliation",
        "dispute_candidates",
        source_id=source.pk,
        gateway_id=source.gateway_id,
        kind=kind,
        as_of=run.as_of,
    )
    for row in rows:
        payments_of_line[row.line_id] += [row.payment_id] if row.payment_id else []
        if row.agrees:
            named_payment[row.line_id] = row.payment_id
    certain = named_payment | {
        line: ids[0] for line, ids in payments_of_line.items() if len(ids) == 1
    }
    payments = Payment.objects.select_related("merchant", "gateway").in_bulk(certain.values())
    lines = StatementLine.objects.select_related("source_account__source").filter(
        pk__in=payments_of_line
    )
    in_order = list(lines.order_by(*IN_ORDER))
    return (
        [line for line in in_order if line.pk in certain],
        {line_id: payments[payment_id] for line_id, payment_id in certain.items()},
        [line for line in in_order if not payments_of_line[line.pk]],
    )


def _disputes_for(notices: Sequence[DisputeNotice]) -> list[Dispute]:
    """Per notice the dispute its gateway told us about before, or a new one."""
    told = defaultdict(list)
    for dispute in Dispute.objects.filter(
        payment__in=[notice.payment for notice in notices], match__isnull=True
    ).order_by("-pk"):
        told[dispute.payment_id, dispute.money].append(dispute)
    found = [
        told[key].pop() if told[key := (notice.payment.pk, notice.money)] else None
        for notice in notices
    ]
    new = iter(
        record_disputes(
            [notice for notice, known in zip(notices, found, strict=True) if known is None]
        )
    )
    return [known or next(new) for known in found]


def _notice(source: Source, line: StatementLine, payment: Payment) -> DisputeNotice:
    shown: Any = line.gross if line.presentment_amount is None else line.presentment_amount
    currency = line.presentment_currency or line.currency
    return DisputeNotice(
        payment=payment,
        reference=f"{source.code}:{line.external_id or line.public_id}:{line.occurrence}",
        money=Money(abs(shown), currency),
        effective_at=start_of(line.booked_on, source.time_zone),
    )


def _finding(
    kind: Types,
    source: Source,
    run: ReconciliationRun,
    line: StatementLine,
    *,
    dispute: Dispute | None = None,
) -> Discrepancy:
    finding = bank_finding(kind, source, run, line, line.net, reference=name_of(line))
    finding.actual, finding.dispute = line.reference[:80], dispute
    return finding
