"""What the bank answers to payout files, applied to the payouts."""

import hashlib
from collections import defaultdict
from dataclasses import dataclass, field

from django.db import transaction
from django.utils import timezone

from ledger.actors import Actor
from ledger.services import audit
from ledger.states import transition
from settlements.errors import PayoutFileNotFound
from settlements.locks import lock_payout_file, lock_payouts
from settlements.models import Payout, PayoutAttempt, PayoutFile
from settlements.rails.bank_ids import public_id
from settlements.rails.pain_002 import (
    ACCEPTED,
    PARTIAL,
    REJECTED,
    StatusReport,
    Verdict,
    read_status_report,
)
from settlements.services.payout_files import mark_file_sent, payout_ids_of
from settlements.services.payouts import Refusal, mark_rejected

Status = PayoutFile.Status
# ISO 20022 external codes for what the bank has already: the first one may well be carried out, so
# paying it once more would be paying it twice.
DUPLICATES = frozenset({"AM05", "DU01", "DU02", "DU03", "DU04", "DU05"})
ODDITIES_KEPT = 100


@dataclass(slots=True)
class StatusOutcome:
    """What a report did: what it refused now, new payouts in their place, and what is odd."""

    file: PayoutFile
    rejected: list[PayoutAttempt] = field(default_factory=list)
    due_again: list[Payout] = field(default_factory=list)
    oddities: list[str] = field(default_factory=list)


@transaction.atomic
def import_status_report(content: bytes, *, actor: Actor) -> StatusOutcome:
    """A pain.002 is applied; the same one again changes nothing.

    A transfer's own status counts, else that of its block, else that of the whole message. RJCT
    makes a payout REJECTED and due again, unless the bank only says that it has it twice. No status
    makes one PAID: the bank's statement does. Raises StatusReportInvalid, and PayoutFileNotFound
    for an answer to a message that is not ours.
    """
    report = read_status_report(content)
    found = PayoutFile.objects.filter(
        public_id=public_id(report.original_message_id, "pf"), format=PayoutFile.Format.PAIN_001
    ).first()
    if found is None:
        raise PayoutFileNotFound(report.original_message_id)
    file = lock_payout_file(found.pk)
    outcome = StatusOutcome(file)
    if file.status == Status.CREATED:
        # The bank answers, so it has the file, whoever took it there.
        mark_file_sent(file)
        outcome.oddities.append(f"{file} was never handed over, and the bank answers it")
    _reject(outcome, report, actor=actor)
    _move_file(file, report)
    audit.record(
        "payout_file.answered",
        file.public_id,
        actor=actor,
        after={
            "message": report.message_id[:35],
            "sha256": hashlib.sha256(content).hexdigest(),
            "status": file.status,
            "rejected": [each.payout.public_id for each in outcome.rejected],
            "oddities": outcome.oddities[:ODDITIES_KEPT],
        },
    )
    return outcome


def _reject(outcome: StatusOutcome, report: StatusReport, *, actor: Actor) -> None:
    payouts = {each.pk: each for each in lock_payouts(payout_ids_of(outcome.file))}
    attempts = {
        payouts[attempt.payout_id].public_id: attempt
        for attempt in outcome.file.attempts.order_by("pk")
    }
    verdicts = _verdicts(outcome, report, attempts)
    by_verdict: dict[Verdict, list[int]] = defaultdict(list)
    for name, attempt in attempts.items():
        verdict, payout = verdicts[name], payouts[attempt.payout_id]
        if verdict.status != REJECTED or not attempt.is_live:
            continue
        if verdict.code in DUPLICATES:
            outcome.oddities.append(f"the bank had {name} before ({verdict.code}): it goes on")
        elif payout.status != Payout.Status.SENT:
            outcome.oddities.append(f"{name} is {payout.status}, and this report refuses it")
        else:
            attempt.payout, attempt.reason_code = payout, verdict.code
            outcome.rejected.append(attempt)
            by_verdict[verdict].append(attempt.pk)
    for verdict, alike in by_verdict.items():
        PayoutAttempt.objects.filter(pk__in=alike).update(
            is_live=False,
            decided_at=timezone.now(),
            reason_code=verdict.code,
            reason=verdict.reason,
        )
    outcome.due_again = mark_rejected(
        [_refusal(each.payout, verdicts[each.payout.public_id]) for each in outcome.rejected],
        actor=actor,
    )


def _refusal(payout: Payout, verdict: Verdict) -> Refusal:
    return Refusal(payout.pk, verdict.code, verdict.reason)


def _verdicts(
    outcome: StatusOutcome, report: StatusReport, attempts: dict[str, PayoutAttempt]
) -> dict[str, Verdict]:
    """What is said about each payout of the file; what is said about anything else is odd."""
    verdict = report.verdict
    for block in report.blocks:
        if public_id(block.payment_information_id, "pf") == outcome.file.public_id:
            verdict = block.verdict if block.verdict.status else verdict
        elif block.payment_information_id:
            outcome.oddities.append(f"there is no block {block.payment_information_id[:35]!r}")
    verdicts = dict.fromkeys(attempts, verdict)
    for transfer in report.transfers:
        name = public_id(transfer.end_to_end_id, "mpo")
        if name not in verdicts:
            outcome.oddities.append(f"there is no transfer {transfer.end_to_end_id[:35]!r}")
        elif transfer.verdict.status:
            verdicts[name] = transfer.verdict
    outcome.oddities += [
        f"status {status[:35]!r} means nothing to us" for status in report.unknown_statuses
    ]
    return verdicts


def _move_file(file: PayoutFile, report: StatusReport) -> None:
    """The file is what its payouts and the message as a whole have become."""
    live = file.attempts.filter(is_live=True).count()
    statuses = {report.verdict.status, *(block.verdict.status for block in report.blocks)}
    target = file.status
    if not live:
        target = Status.REJECTED
    elif live < file.payout_count or PARTIAL in statuses:
        target = Status.PARTIAL
    elif statuses & ACCEPTED:
        target = Status.ACCEPTED
    if target in PayoutFile.TRANSITIONS[Status(file.status)]:
        transition(file, target)
