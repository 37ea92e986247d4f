"""A person takes a match apart. No rule makes it again; a person may."""

from django.db import transaction
from django.utils import timezone

from ledger import sql
from ledger.actors import Actor
from ledger.entries import Direction, Entry, Line
from ledger.models import JournalEntry
from ledger.money import Money
from ledger.services import audit
from ledger.services.posting import post_all
from ledger.states import transition
from payments.models import Dispute, Payment, Refund
from reconciliation.bookkeeping import entry_for_processor_fee_undone
from reconciliation.errors import ConversionIsSettled, MatchNotFound
from reconciliation.fee_groups import entry_of, fee_group_of
from reconciliation.locks import keep_runs_away
from reconciliation.models import (
    Discrepancy,
    FeeGroup,
    Match,
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
from reconciliation.services.own_payouts import open_missing_payouts
from reconciliation.services.runs import seal_run
from reconciliation.subjects import FIELDS, Subject, name_of_subject
from reconciliation.telling import telling_of_changes
from settlements.models import Payout, Settlement
from settlements.services.payouts import mark_unpaid

APP = "reconciliation"
CONVERSION = "merchant_conversion"
Types = Discrepancy.Type
# These are about the line alone, even if they name a payment or a payout too.
ABOUT_ANOTHER_LINE = (Types.DUPLICATE_LINE, Types.DEPOSIT_DUPLICATE)


@transaction.atomic
def undo_match(match: Match, *, reason: str, actor: Actor) -> UndoneMatch:
    """The line and our record are open again, and what the match had posted is reversed, once.

    A fee that was posted with those of other matches is taken out of them by an entry that names
    the match. All this takes effect when the entries did, or if that period is closed when the next
    begins. What was found about the pair is over. A dispute stays open, whatever opened it: it is
    ended by winning or losing it; a payout of ours is on its way again.

    Raises MatchNotFound, WriteOffStands if a finding about the pair was written off,
    InvalidTransition if that is only asked for or if the payout came back, ConversionIsSettled if
    the merchant was settled with what it converted, ReasonMissing, ReasonTooLong, EntryRefused and
    ReconciliationUnderWay.
    """
    reason = stated(reason)
    keep_runs_away()
    matches = Match.objects.select_for_update(of=("self",)).select_related(
        "line__source_account__source__gateway", "line__source_account__ledger_account"
    )
    known = matches.filter(pk=match.pk).first()
    if known is None:
        raise MatchNotFound()
    name, subject, line = known.public_id, known.subject, known.line
    posted, fees = _posted(known), fee_group_of(known)
    fee_undone = _fee_out_of(fees, known) if fees else []
    if any(entry.kind == CONVERSION for entry in posted) and _is_settled(known):
        raise ConversionIsSettled(subject)
    run = begin_by_hand(line)
    with telling_of_changes(run):
        _end_what_was_found(known, run)
        undone = _take_apart(known, fees, reason, actor)
        _open_again(subject, run)
        keep(_findings_about(line, run))
    if isinstance(subject, Payout):
        mark_unpaid(subject.pk)
    seal_run(run)
    audit.record(
        "match.undone",
        name,
        actor=actor,
        reason=reason,
        before={"pairs": [told(line, known.kind, subject, known.amount)]},
        after={
            "reversed": [entry.public_id for entry in posted],
            "fee_group": str(fees or ""),
        },
    )
    post_all([*(_reversal_of(entry) for entry in posted), *fee_undone])
    return undone


def _is_settled(match: Match) -> bool:
    """The merchant was settled with in the currency that the match converted it into."""
    if not isinstance(match.subject, Payment | Refund | Dispute):
        return False
    return Settlement.objects.filter(**{FIELDS[Match.Kind(match.kind)]: match.subject}).exists()


def _posted(match: Match) -> list[JournalEntry]:
    """Its entries that nobody reversed yet."""
    before = UndoneMatch.objects.filter(line=match.line)
    keys = [
        key for times in range(before.count() + 1) for key in keys_of_postings(match, undone=times)
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


def _fee_out_of(fees: FeeGroup, match: Match) -> list[Entry]:
    """The entry that takes the fee of the match's line out of the group's; none if that is gone."""
    entry, line = entry_of(fees), match.line
    if entry.reversed_by is not None:
        return []
    gateway = line.source_account.source.gateway
    assert gateway is not None
    return [
        entry_for_processor_fee_undone(
            gateway.code,
            Money(line.fee, line.currency),
            key=match.public_id,
            reference=name_of_subject(match.subject),
            effective_at=entry.effective_at,
        )
    ]


def _end_what_was_found(match: Match, run: ReconciliationRun) -> None:
    """Differences between the two are nobody's any more."""
    if match.payout is not None:
        return
    about = {FIELDS[Match.Kind(match.kind)].removeprefix("won_"): match.subject}
    found = Discrepancy.objects.select_for_update(of=("self",)).filter(line=match.line, **about)
    for discrepancy in found.exclude(type__in=ABOUT_ANOTHER_LINE).order_by("pk"):
        refuse_while_written_off(discrepancy)
        if discrepancy.status in Discrepancy.UNSETTLED:
            transition(
                discrepancy,
                Discrepancy.Status.RESOLVED,
                resolved_at=timezone.now(),
                resolved_by=run,
            )


def _take_apart(match: Match, fees: FeeGroup | None, reason: str, actor: Actor) -> UndoneMatch:
    undone = UndoneMatch.objects.create(
        kind=match.kind,
        subject_id=match.subject.pk,
        line=match.line,
        amount=match.amount,
        rule=match.rule,
        rule_version=match.rule_version,
        evidence=match.evidence,
        matched_at=match.created_at,
        match_number=match.pk,
        fee_group=fees,
        undone_by=str(actor),
        reason=reason,
        undone_at=timezone.now(),
    )
    Match.objects.filter(pk=match.pk).delete()
    return undone


def _open_again(subject: Subject, run: ReconciliationRun) -> None:
    """What is in no report or statement now is missing, or not due yet."""
    source = Source.objects.get(code=run.source_code)
    if isinstance(subject, Payment | Refund):
        _open_missing(subject, source, run)
    elif isinstance(subject, Dispute):
        judge_disputes(source, run, only=subject)
    elif isinstance(subject, Payout):
        open_missing_payouts(source, run, only=subject)
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
        StatementLine.Kind.DISPUTE_REVERSAL,
    ):
        return []
    finding = bank_finding(Types.ORPHAN_LINE, source, run, line, line.net, reference=name_of(line))
    finding.actual = line.reference
    return [finding]
