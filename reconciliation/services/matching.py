"""Matching a processor's lines with our payments, refunds and disputes; set-based."""

from typing import Any

from django.utils import timezone

from ledger import sql
from ledger.money import CURRENCY_EXPONENTS
from payments.calendar import add_business_days
from reconciliation import progress
from reconciliation.days import end_of
from reconciliation.matching_rules import (
    EXACT,
    IN_TEXT,
    MATCHING_RULES,
    NORMALISED,
    PREFIXED,
    TRUNCATED,
    MatchingRule,
)
from reconciliation.models import ProcessorPayout, ReconciliationRun, Source, StatementLine
from reconciliation.services.dispute_matching import match_disputes

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
    match_disputes(source, run)
    end_of_day = end_of(run.as_of, source.time_zone)
    scope = {
        "source_id": source.pk,
        "gateway_id": source.gateway.pk,
        "as_of": run.as_of,
        "end_of_day": end_of_day if is_full else max(end_of_day, timezone.now()),
    }
    progress.begin_phase("gathering open lines and records")
    sql.execute(APP, "create_findings")
    sql.execute(APP, "name_merchants", source_id=source.pk)
    sql.execute(APP, "pair_lines", **scope)
    sql.execute(APP, "leave_contested_pairs")
    _open(scope)
    for number, rule in enumerate(MATCHING_RULES):
        if is_full or rule.proves_identity:
            _apply(rule, number)
        if rule is EXACT:
            sql.execute(APP, "open_rest")
    _find_repeated_lines(source)
    if sql.execute(APP, "leave_repeated_pairs"):
        _open(scope)
    sql.execute(APP, "put_first_lines_first")
    _store(source, run)
    progress.begin_phase("looking for what is missing")
    if is_full and StatementLine.objects.filter(source_account__source=source).exists():
        sql.execute(APP, "open_missing", run_id=run.pk, zone=source.zone, **scope)


def _open(scope: dict[str, Any]) -> None:
    """All pairs that are not alike are open to be looked at: their lines and items, and they."""
    sql.execute(APP, "open_lines", source_id=scope["source_id"])
    sql.execute(APP, "take_exact_pairs", rule_no=MATCHING_RULES.index(EXACT))
    sql.execute(APP, "open_items", **scope)


def _apply(rule: MatchingRule, number: int) -> None:
    progress.begin_phase(f"matching by {rule.name.replace('_', ' ')}")
    sql.execute(APP, rule.sql)
    sql.execute(APP, "decide_candidates", rule_no=number, proves_identity=rule.proves_identity)
    sql.execute(APP, "forget_candidates")


def _find_repeated_lines(source: Source) -> None:
    """What is left over and is about an item that has its line. All items only for new lines."""
    sql.execute(
        APP,
        "note_unfound_lines",
        normalised_rule=MATCHING_RULES.index(NORMALISED),
        in_text_rule=MATCHING_RULES.index(IN_TEXT),
        prefixed_rule=MATCHING_RULES.index(PREFIXED),
    )
    (unfound,) = sql.rows(APP, "count_unfound_lines")
    if not unfound.lines:
        return
    if unfound.new:
        sql.execute(APP, "gather_known_items", gateway_id=source.gateway_id)
    else:
        sql.execute(APP, "gather_matched_items")
    sql.execute(APP, "find_repeated_lines", truncated_rule=MATCHING_RULES.index(TRUNCATED))


def _store(source: Source, run: ReconciliationRun) -> None:
    progress.begin_phase("keeping what matched")
    sql.execute(
        APP,
        "store_matches",
        run_id=run.pk,
        exact_name=EXACT.name,
        exact_version=EXACT.version,
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
