"""Matching a processor's lines with our payments, refunds and disputes; set-based."""

from collections import defaultdict
from typing import Any

from django.utils import timezone

from ledger import sql
from ledger.money import CURRENCY_EXPONENTS, Money
from payments.calendar import add_business_days
from payments.models import Dispute, Payment
from payments.services.disputes import DisputeNotice, record_disputes
from reconciliation.days import end_of, start_of
from reconciliation.matching_rules import (
    DISPUTE_REFERENCE,
    EXACT,
    IN_TEXT,
    MATCHING_RULES,
    NORMALISED,
    PREFIXED,
    TRUNCATED,
    MatchingRule,
)
from reconciliation.models import (
    Discrepancy,
    Match,
    MatchLine,
    ProcessorPayout,
    ReconciliationRun,
    Source,
    StatementLine,
)

APP = "reconciliation"


def match_processor(source: Source, run: ReconciliationRun) -> None:
    """Match what this processor reported up to the run's day, and open what differs or is missing.

    When something has just come, more may follow: nothing is missing yet, only what identifies an
    item matches, and items count that are younger than the reports. Needs a transaction: the
    working tables live until it ends, one source per transaction.
    """
    assert source.gateway is not None
    is_full = run.trigger == ReconciliationRun.Trigger.FULL
    _note_payouts(source)
    _open_disputes(source, run)
    end_of_day = end_of(run.as_of, source.time_zone)
    scope = {
        "source_id": source.pk,
        "gateway_id": source.gateway.pk,
        "as_of": run.as_of,
        "end_of_day": end_of_day if is_full else max(end_of_day, timezone.now()),
    }
    sql.execute(APP, "create_findings")
    sql.execute(APP, "open_lines", **scope)
    sql.execute(APP, "open_items", **scope)
    for number, rule in enumerate(MATCHING_RULES):
        if is_full or rule.proves_identity:
            _apply(rule, number)
        if rule is EXACT:
            sql.execute(APP, "open_rest")
    sql.execute(
        APP,
        "find_repeated_lines",
        gateway_id=source.gateway.pk,
        normalised_rule=MATCHING_RULES.index(NORMALISED),
        in_text_rule=MATCHING_RULES.index(IN_TEXT),
        truncated_rule=MATCHING_RULES.index(TRUNCATED),
        prefixed_rule=MATCHING_RULES.index(PREFIXED),
    )
    sql.execute(APP, "put_first_lines_first")
    _store(source, run)
    if is_full and StatementLine.objects.filter(source_account__source=source).exists():
        sql.execute(APP, "open_missing", run_id=run.pk, zone=source.zone, **scope)


def _apply(rule: MatchingRule, number: int) -> None:
    sql.execute(APP, rule.sql)
    sql.execute(APP, "decide_candidates", rule_no=number, proves_identity=rule.proves_identity)
    sql.execute(APP, "forget_candidates")


def _store(source: Source, run: ReconciliationRun) -> None:
    sql.execute(
        APP,
        "store_matches",
        run_id=run.pk,
        rule_nos=list(range(len(MATCHING_RULES))),
        rule_names=[rule.name for rule in MATCHING_RULES],
        rule_versions=[rule.version for rule in MATCHING_RULES],
    )
    open_differences(source, run)
    sql.execute(
        APP,
        "open_line_findings",
        run_id=run.pk,
        source_id=source.pk,
        is_full=run.trigger == ReconciliationRun.Trigger.FULL,
    )


def open_differences(source: Source, run: ReconciliationRun) -> None:
    """What is found to belong together (temporary tables found, open_item) and is not the same."""
    sql.execute(
        APP,
        "open_differences",
        run_id=run.pk,
        source_id=source.pk,
        fx_tolerance=source.fx_tolerance_basis_points,
        currencies=list(CURRENCY_EXPONENTS),
        exponents=list(CURRENCY_EXPONENTS.values()),
    )


def _note_payouts(source: Source) -> None:
    """Each payout row of the reports becomes money the bank should book by a day."""
    lines = StatementLine.objects.select_related("source_account").filter(
        source_account__source=source,
        kind=StatementLine.Kind.PAYOUT,
        processor_payout__isnull=True,
    )
    ProcessorPayout.objects.bulk_create(
        [
            ProcessorPayout(
                source_account=line.source_account,
                line=line,
                external_id=line.payout_id or line.external_id,
                currency=line.currency,
                amount=-line.net,
                due_on=add_business_days(line.booked_on, source.deposit_days),
            )
            for line in lines.order_by("pk")
        ]
    )


def _open_disputes(source: Source, run: ReconciliationRun) -> None:
    """A dispute line of one payment we know opens its dispute and matches it."""
    payments_of_line: dict[int, list[int]] = defaultdict(list)
    named_payment: dict[int, int] = {}
    for row in sql.rows(
        APP,
        "dispute_candidates",
        source_id=source.pk,
        gateway_id=source.gateway_id,
        as_of=run.as_of,
    ):
        payments_of_line[row.line_id] += [row.payment_id] if row.payment_id else []
        if row.agrees:
            named_payment[row.line_id] = row.payment_id
    lines = StatementLine.objects.select_related("source_account").in_bulk(payments_of_line)
    certain = named_payment | {
        line: ids[0] for line, ids in payments_of_line.items() if len(ids) == 1
    }
    payments = Payment.objects.select_related("merchant", "gateway").in_bulk(certain.values())
    notices = [
        _notice(source, lines[line_id], payments[payment_id])
        for line_id, payment_id in certain.items()
    ]
    for line_id, dispute in zip(certain, _disputes_for(notices), strict=True):
        match = Match.objects.create(
            run=run,
            kind=Match.Kind.DISPUTE,
            rule=DISPUTE_REFERENCE.name,
            rule_version=DISPUTE_REFERENCE.version,
            evidence=_evidence(lines[line_id]),
            dispute=dispute,
            created_at=timezone.now(),
        )
        MatchLine.objects.create(match=match, line=lines[line_id], amount=lines[line_id].net)
    for line_id, ids in payments_of_line.items():
        if not ids:
            _open_orphan(source, run, lines[line_id])


def _disputes_for(notices: list[DisputeNotice]) -> list[Dispute]:
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


def _evidence(line: StatementLine) -> dict[str, str]:
    return {"reported": line.reference, "merchant": line.merchant}


def _open_orphan(source: Source, run: ReconciliationRun, line: StatementLine) -> None:
    Discrepancy.objects.get_or_create(
        key=f"{Discrepancy.Type.ORPHAN_LINE}:line:{line.pk}",
        defaults={
            "type": Discrepancy.Type.ORPHAN_LINE,
            "source": source,
            "reference": line.external_id or line.public_id,
            "currency": line.currency,
            "amount": line.net,
            "actual": line.reference[:80],
            "since": line.booked_on,
            "line": line,
            "opened_by": run,
            "opened_at": timezone.now(),
        },
    )
