"""A person says which line and which record of ours belong together. No run takes that away."""

from django.db import transaction
from django.db.models import Sum
from django.utils import timezone

from ledger import sql
from ledger.actors import Actor
from ledger.money import Money
from ledger.services import audit
from payments.models import Dispute, Payment, Refund
from reconciliation.errors import AlreadyMatched, NotMatchable
from reconciliation.locks import keep_runs_away
from reconciliation.matching_rules import BY_HAND
from reconciliation.models import (
    Discrepancy,
    Match,
    ProcessorPayout,
    ReconciliationRun,
    Source,
    StatementLine,
)
from reconciliation.selectors import latest_day
from reconciliation.services.bank_findings import bank_finding
from reconciliation.services.booking import book_matches
from reconciliation.services.discrepancies import stated
from reconciliation.services.dispute_matching import differences, win
from reconciliation.services.findings import keep
from reconciliation.services.matching import open_differences
from reconciliation.services.runs import seal_run
from reconciliation.subjects import FIELDS, Subject, kind_of, name_of_subject
from reconciliation.telling import telling_of_changes
from settlements.models import Payout
from settlements.services.payouts import mark_paid

APP = "reconciliation"
# What a processor charges by itself or pays out is in the books already, as a fact.
MATCHABLE = {
    StatementLine.Kind.CHARGE,
    StatementLine.Kind.REFUND,
    StatementLine.Kind.DISPUTE,
    StatementLine.Kind.DISPUTE_REVERSAL,
    StatementLine.Kind.ADJUSTMENT,
}


@transaction.atomic
def match_by_hand(
    line: StatementLine, subject: Subject, *, reason: str, actor: Actor, amount: Money | None = None
) -> Match:
    """The line proves the record from now on: what it proves is posted, what differs is opened.

    A line of a processor is matched whole, to a payment, refund or dispute of its gateway. Of a
    line of a bank each processor payout or payout of ours uses a part, `amount` if it is given (a
    positive one), at most what is left of the line; what is not used stays open.

    Raises AlreadyMatched, NotMatchable, ReasonMissing, ReasonTooLong, EntryRefused, and
    ReconciliationUnderWay if a run takes long.
    """
    reason = stated(reason)
    keep_runs_away()
    line = StatementLine.objects.select_related(
        "source_account__source__gateway", "source_account__ledger_account"
    ).get(pk=line.pk)
    subject.refresh_from_db()
    part = _part_for(line, subject, amount)
    run = begin_by_hand(line)
    kind = kind_of(subject, line)
    with telling_of_changes(run):
        match = Match.objects.create(
            run=run,
            kind=kind,
            rule=BY_HAND.name,
            rule_version=BY_HAND.version,
            evidence={"reported": line.reference, "by": str(actor), "reason": reason},
            line=line,
            amount=part,
            is_converted=isinstance(subject, Payment | Refund)
            and subject.currency != line.currency,
            created_at=timezone.now(),
            **{FIELDS[kind]: subject},
        )
        if isinstance(subject, Dispute) and kind == Match.Kind.WON_DISPUTE:
            win(line.source_account.source, [(line, subject)], actor=actor)
        _open_what_differs(line, subject, part, run)
        sql.execute(APP, "resolve_by_evidence", run_id=run.pk)
        sql.execute(APP, "reopen_by_evidence")
    if isinstance(subject, Payout):
        mark_paid({subject.pk: line.booked_on})
    seal_run(run)
    audit.record(
        "match.made",
        match.public_id,
        actor=actor,
        reason=reason,
        after=told(line, kind, subject, part),
    )
    book_matches(run)
    return match


def begin_by_hand(line: StatementLine) -> ReconciliationRun:
    """The record of what a person did about one line."""
    return ReconciliationRun.objects.create(
        trigger=ReconciliationRun.Trigger.PERSON,
        as_of=latest_day() or line.booked_on,
        source_code=line.source_account.source.code,
        rules={BY_HAND.name: BY_HAND.version},
        started_at=timezone.now(),
        finished_at=timezone.now(),
    )


def told(line: StatementLine, kind: str, subject: Subject, part: int) -> dict[str, str]:
    """One pair, for the audit trail."""
    return {
        "line": line.public_id,
        "kind": str(kind),
        "subject": name_of_subject(subject),
        "amount": str(Money(part, line.currency)),
    }


def _part_for(line: StatementLine, subject: Subject, amount: Money | None) -> int:
    """How much of the line the match uses, signed like it. Raises AlreadyMatched, NotMatchable."""
    known = Match.objects.filter(**{FIELDS[kind_of(subject, line)]: subject}).first()
    if known is not None:
        raise AlreadyMatched(subject, known.public_id)
    refusal = _refusal(line, subject)
    if refusal:
        raise NotMatchable(subject, line, refusal)
    parts = line.matches.order_by("pk")
    is_whole = not isinstance(subject, ProcessorPayout | Payout)
    left = line.net - (parts.aggregate(used=Sum("amount"))["used"] or 0)
    first = parts.first()
    if first is not None and (is_whole or not left):
        raise AlreadyMatched(line, first.public_id)
    if not is_whole:
        return _part_of_bank_line(line, left, subject, amount)
    if amount is not None:
        raise NotMatchable(subject, line, "a processor's line is matched whole")
    return line.net


def _part_of_bank_line(
    line: StatementLine, left: int, subject: Subject, amount: Money | None
) -> int:
    assert isinstance(subject, ProcessorPayout | Payout)
    sign = 1 if line.net > 0 else -1
    wanted = min(abs(left), subject.amount) if amount is None else amount.amount
    if amount is not None and amount.currency != line.currency:
        raise NotMatchable(subject, line, f"the line is in {line.currency}")
    if not 0 < wanted <= min(abs(left), subject.amount):
        text = Money(abs(left), line.currency)
        raise NotMatchable(subject, line, f"of the line {text} is left")
    if isinstance(subject, Payout) and wanted != subject.amount:
        raise NotMatchable(subject, line, f"the payout of {subject.money} leaves as a whole")
    return sign * wanted


def _refusal(line: StatementLine, subject: Subject) -> str:
    """Why these two can have nothing to do with each other; empty if they can."""
    source = line.source_account.source
    if isinstance(subject, ProcessorPayout | Payout):
        return _bank_refusal(line, source, subject)
    payment = subject if isinstance(subject, Payment) else subject.payment
    if source.kind != Source.Kind.PROCESSOR_REPORT or source.gateway_id != payment.gateway_id:
        return "the line is not of its gateway's reports"
    if line.kind not in MATCHABLE:
        return f"a {line.kind} line is in the books by itself"
    if not isinstance(subject, Dispute) and subject.status != subject.Status.SUCCEEDED:
        return f"it is {subject.status}"
    if kind_of(subject, line) == Match.Kind.WON_DISPUTE and subject.status == Dispute.Status.LOST:
        return f"it is {subject.status}"
    if isinstance(subject, Payment) and subject.is_settled_elsewhere:
        return "it was settled elsewhere"
    return ""


def _bank_refusal(line: StatementLine, source: Source, subject: ProcessorPayout | Payout) -> str:
    if source.kind != Source.Kind.BANK_STATEMENT:
        return "the line is not of a bank"
    if line.currency != subject.currency:
        return f"the line is in {line.currency}"
    if isinstance(subject, Payout):
        if line.net >= 0:
            return "our payouts are debits"
        return "" if subject.status == Payout.Status.SENT else f"it is {subject.status}"
    if line.net <= 0:
        return "deposits are credits"
    return "" if subject.amount > 0 else "no deposit is due for it"


def _open_what_differs(
    line: StatementLine, subject: Subject, part: int, run: ReconciliationRun
) -> None:
    """As if a rule had found the pair."""
    source = line.source_account.source
    if isinstance(subject, Payment | Refund):
        sql.execute(APP, "create_findings")
        kind = str(kind_of(subject, line))
        sql.execute(APP, "hold_item", kind=kind, item_id=subject.pk, line_id=line.pk)
        open_differences(source, run)
    elif kind_of(subject, line) == Match.Kind.WON_DISPUTE:
        assert isinstance(subject, Dispute)
        keep(differences(source, run, line, subject))
    elif isinstance(subject, ProcessorPayout) and part < subject.amount:
        keep(
            [
                bank_finding(
                    Discrepancy.Type.DEPOSIT_SHORT,
                    source,
                    run,
                    line,
                    part - subject.amount,
                    reference=subject.external_id,
                    payout=subject,
                    key=f"payout:{subject.pk}",
                    expected=subject.amount,
                )
            ]
        )
