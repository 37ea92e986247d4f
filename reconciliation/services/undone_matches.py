"""A person takes a match apart. No rule makes it again; a person may."""

from django.db import transaction
from django.utils import timezone

from ledger import sql
from ledger.actors import Actor
from ledger.entries import Direction, Entry, Line
from ledger.models import JournalEntry
from ledger.services import audit
from ledger.services.posting import post_all
from ledger.states import transition
from payments.models import Dispute, Payment, Refund
from reconciliation.errors import ConversionIsSettled, MatchNotFound
from reconciliation.locks import keep_runs_away
from reconciliation.models import (
    Discrepancy,
    Match,
    MatchLine,
    ProcessorPayout,
    ReconciliationRun,
    Source,
    StatementLine,
    UndoneMatch,
)
from reconciliation.services.bank_findings import bank_finding, name_of
from reconciliation.services.booking import keys_of_postings
from reconciliation.services.discrepancies import refuse_while_written_off, stated
from reconciliation.services.findings import judge_disputes, keep
from reconciliation.services.hand_matching import begin_by_hand, told
from reconciliation.services.runs import seal_run
from reconciliation.subjects import FIELDS, Subject
from reconciliation.telling import telling_of_changes
from settlements.models import Payout, Settlement
from settlements.services.payouts import mark_unpaid

APP = "reconciliation"
CONVERSION = "merchant_conversion"
Types = Discrepancy.Type
# These are about the line alone, even if they name a payment or a payout too.
ABOUT_ANOTHER_LINE = (Types.DUPLICATE_LINE, Types.DEPOSIT_DUPLICATE)


@transaction.atomic
def undo_match(match: Match, *, reason: str, actor: Actor) -> list[UndoneMatch]:
    """The line and our record are open again, and what the match had posted is reversed, once.

    Reversals take effect when the entries did, or if that period is closed when the next begins.
    What was found about the pair is over. A dispute stays open, whatever opened it: it is ended by
    winning or losing it; a payout of ours is on its way again.

    Raises MatchNotFound, WriteOffStands if a finding about the pair was written off,
    InvalidTransition if that is only asked for or if the payout came back, ConversionIsSettled if
    the merchant was settled with what it converted, ReasonMissing, ReasonTooLong, EntryRefused and
    ReconciliationUnderWay.
    """
    reason = stated(reason)
    keep_runs_away()
    known = Match.objects.select_for_update(of=("self",)).filter(pk=match.pk).first()
    if known is None:
        raise MatchNotFound()
    parts = list(
        known.lines.select_related(
            "match", "line__source_account__source__gateway", "line__source_account__ledger_account"
        ).order_by("pk")
    )
    name, subject = known.public_id, known.subject
    posted = _posted(parts)
    if any(entry.kind == CONVERSION for entry in posted) and _is_settled(subject):
        raise ConversionIsSettled(subject)
    run = begin_by_hand(parts[0].line)
    with telling_of_changes(run):
        _end_what_was_found(known, parts, run)
        undone = _take_apart(known, parts, reason, actor)
        _open_again(subject, run)
        for part in parts:
            keep(_findings_about(part.line, run))
    if isinstance(subject, Payout):
        mark_unpaid(subject.pk)
    seal_run(run)
    audit.record(
        "match.undone",
        name,
        actor=actor,
        reason=reason,
        before={"pairs": [told(each.line, known.kind, subject, each.amount) for each in parts]},
        after={"reversed": [entry.public_id for entry in posted]},
    )
    post_all([_reversal_of(entry) for entry in posted])
    return undone


def _is_settled(subject: Subject) -> bool:
    """The merchant was settled with in the currency that the match converted it into."""
    fields = {Payment: ("payment",), Refund: ("refund",), Dispute: ("dispute", "won_dispute")}
    return any(
        Settlement.objects.filter(**{field: subject}).exists()
        for field in fields.get(type(subject), ())
    )


def _posted(parts: list[MatchLine]) -> list[JournalEntry]:
    """The entries of these parts that nobody reversed yet."""
    keys: list[str] = []
    for part in parts:
        before = UndoneMatch.objects.filter(line=part.line)
        keys += [
            key
            for times in range(before.count() + 1)
            for key in keys_of_postings(part, undone=times)
        ]
    entries = JournalEntry.objects.filter(idempotency_key__in=keys, reversals=None)
    return list(entries.prefetch_related("postings__account").order_by("pk"))


def _reversal_of(entry: JournalEntry) -> Entry:
    return Entry(
        idempotency_key=f"reversal:{entry.public_id}",
        kind="reversal",
        reference=entry.reference,
        effective_at=entry.effective_at,
        moves_if_late=True,
        reverses=entry.pk,
        lines=tuple(
            Line(
                posting.account.ref,
                Direction.CREDIT if posting.direction == Direction.DEBIT else Direction.DEBIT,
                posting.amount,
            )
            for posting in sorted(entry.postings.all(), key=lambda posting: posting.position)
        ),
    )


def _end_what_was_found(match: Match, parts: list[MatchLine], run: ReconciliationRun) -> None:
    """Differences between the two are nobody's any more."""
    if match.payout is not None:
        return
    about = {FIELDS[Match.Kind(match.kind)]: match.subject}
    lines = [part.line_id for part in parts]
    found = Discrepancy.objects.select_for_update(of=("self",)).filter(line__in=lines, **about)
    for discrepancy in found.exclude(type__in=ABOUT_ANOTHER_LINE).order_by("pk"):
        refuse_while_written_off(discrepancy)
        if discrepancy.status in Discrepancy.UNSETTLED:
            transition(
                discrepancy,
                Discrepancy.Status.RESOLVED,
                resolved_at=timezone.now(),
                resolved_by=run,
            )


def _take_apart(
    match: Match, parts: list[MatchLine], reason: str, actor: Actor
) -> list[UndoneMatch]:
    undone = UndoneMatch.objects.bulk_create(
        [
            UndoneMatch(
                kind=match.kind,
                subject_id=match.subject.pk,
                line=part.line,
                amount=part.amount,
                rule=match.rule,
                rule_version=match.rule_version,
                evidence=match.evidence,
                matched_at=match.created_at,
                undone_by=str(actor),
                reason=reason,
                undone_at=timezone.now(),
            )
            for part in parts
        ]
    )
    match.lines.all().delete()
    Match.objects.filter(pk=match.pk).delete()
    return undone


def _open_again(subject: Subject, run: ReconciliationRun) -> None:
    """What is in no report or statement now is missing, or not due yet."""
    source = Source.objects.get(code=run.source_code)
    if isinstance(subject, Payment | Refund):
        _open_missing(subject, source, run)
    elif isinstance(subject, Dispute):
        judge_disputes(source, run, only=subject)
    elif isinstance(subject, ProcessorPayout) and subject.due_on <= run.as_of:
        keep(
            [
                bank_finding(
                    Types.DEPOSIT_MISSING,
                    source,
                    run,
                    None,
                    subject.amount,
                    reference=subject.external_id,
                    payout=subject,
                    key=f"payout:{subject.pk}",
                    expected=subject.amount,
                )
            ]
        )


def _open_missing(subject: Payment | Refund, source: Source, run: ReconciliationRun) -> None:
    kind = "payment" if isinstance(subject, Payment) else "refund"
    sql.execute(APP, "create_findings")
    sql.execute(APP, "hold_item", kind=kind, item_id=subject.pk, line_id=None)
    sql.execute(
        APP,
        "open_missing",
        run_id=run.pk,
        source_id=source.pk,
        as_of=run.as_of,
        zone=source.zone,
    )


def _findings_about(line: StatementLine, run: ReconciliationRun) -> list[Discrepancy]:
    """A line, or what is left of it, that nobody explains."""
    source = line.source_account.source
    if line.kind == StatementLine.Kind.ENTRY:
        kind = Types.UNEXPLAINED_BANK_LINE
        return [bank_finding(kind, source, run, line, line.net, reference=name_of(line))]
    if line.kind not in (
        StatementLine.Kind.CHARGE,
        StatementLine.Kind.REFUND,
        StatementLine.Kind.DISPUTE,
    ):
        return []
    finding = bank_finding(Types.ORPHAN_LINE, source, run, line, line.net, reference=name_of(line))
    finding.actual = line.reference
    return [finding]
