"""Matching bank lines with what processors and we sent: n payouts may arrive as one deposit."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date

from django.utils import timezone

from ledger import sql
from reconciliation.matching_rules import (
    DEPOSIT_AMOUNT,
    OWN_PAYOUT_FILE,
    OWN_PAYOUT_ID,
    PAYOUT_ID,
    MatchingRule,
)
from reconciliation.models import (
    Discrepancy,
    Match,
    ProcessorPayout,
    ReconciliationRun,
    Source,
    StatementLine,
    UndoneMatch,
)
from reconciliation.services.bank_findings import bank_finding, name_of
from reconciliation.services.findings import keep
from reconciliation.services.own_payouts import OwnPayouts, open_missing_payouts
from reconciliation.services.subsets import only_subset

Types = Discrepancy.Type


@dataclass(slots=True)
class Findings:
    """What is found about one bank's lines, to be written at the end."""

    matches: list[Match] = field(default_factory=list)
    discrepancies: list[Discrepancy] = field(default_factory=list)
    used: set[int] = field(default_factory=set)  # lines that are explained or judged
    arrived: set[int] = field(default_factory=set)  # processor payouts that have their deposit


class BankMatcher:
    """One run over one bank's open lines, in booking date and file order.

    When something has just come, more may follow: only what a line names, to the cent, matches
    then; nothing is missing yet, and a processor's line without an id waits.
    """

    def __init__(self, source: Source, run: ReconciliationRun) -> None:
        self.source = source
        self.run = run
        self.is_full = run.trigger == ReconciliationRun.Trigger.FULL
        self.findings = Findings()
        self.own = OwnPayouts()
        rows = sql.rows("reconciliation", "bank_candidates", source_id=source.pk, as_of=run.as_of)
        self.named = {
            row.line_id: (row.processor_payout_ids, row.payout_ids, row.payout_ids_of_file)
            for row in rows
        }
        self.lines = list(
            StatementLine.objects.select_related("source_account__ledger_account")
            .filter(pk__in=self.named)
            .order_by("booked_on", "file__name", "file__sha256", "line_no")
        )
        self.payouts = ProcessorPayout.objects.select_related("source_account__source").in_bulk(
            {pk for arriving, *_ in self.named.values() for pk in arriving}
        )
        self.undone = set(
            UndoneMatch.objects.filter(kind=Match.Kind.DEPOSIT, line__in=self.named).values_list(
                "line_id", "subject_id"
            )
        )
        self.matched_before = set(
            Match.objects.filter(processor_payout__in=self.payouts).values_list(
                "processor_payout_id", flat=True
            )
        )

    def match(self) -> None:
        """Match what can be matched, judge the rest, and write it all."""
        for line in self.lines:
            arriving, leaving, in_file = self.named[line.pk]
            if leaving and line.net > 0:
                self._note_return(line, leaving)
            elif leaving:
                self._match_own_payouts(line, leaving, OWN_PAYOUT_ID)
            elif in_file and line.net < 0:
                self._match_own_payouts(line, in_file, OWN_PAYOUT_FILE)
            elif arriving:
                self._match_named_deposit(line, [self.payouts[pk] for pk in arriving])
        if self.is_full:
            self._match_unnamed_deposits()
            self._open_missing_deposits()
        else:
            self._let_deposits_wait()
        for line in self.lines:
            if line.pk not in self.findings.used:
                self._open(Types.UNEXPLAINED_BANK_LINE, line, line.net, reference=name_of(line))
        self._write()

    def _match_own_payouts(self, line: StatementLine, ids: list[int], rule: MatchingRule) -> None:
        for payout in self.own.leave_with(line, ids):
            self._add(line, -payout.amount, rule, kind=Match.Kind.PAYOUT, payout=payout)

    def _note_return(self, line: StatementLine, ids: list[int]) -> None:
        payout = self.own.comes_back_with(line, ids)
        if payout is not None:
            self._open(Types.PAYOUT_RETURNED, line, line.net, reference=payout.public_id)
            self.findings.used.add(line.pk)

    def _match_named_deposit(self, line: StatementLine, payouts: list[ProcessorPayout]) -> None:
        """The line says which payouts it is; what is short or over is a finding of its own."""
        taken = self.findings.arrived | self.matched_before
        new = [payout for payout in payouts if payout.pk not in taken and payout.amount > 0]
        if line.net <= 0:
            return
        if not new:
            first = payouts[0]
            self._open(
                Types.DEPOSIT_DUPLICATE,
                line,
                line.net,
                reference=first.external_id,
                payout=first,
                key=f"line:{line.pk}",
            )
            self.findings.used.add(line.pk)
            return
        expected = sum(payout.amount for payout in new)
        if expected != line.net and not self.is_full:
            self.findings.used.add(line.pk)
            return
        left = line.net
        for payout in new[:-1]:
            part = min(payout.amount, left - (len(new) - 1))
            self._add_deposit(line, part, PAYOUT_ID, payout)
            left -= part
        last = new[-1]
        self._add_deposit(line, min(left, last.amount), PAYOUT_ID, last)
        if line.net != expected:
            self._open(
                Types.DEPOSIT_SHORT if line.net < expected else Types.DEPOSIT_OVER,
                line,
                line.net - expected,
                reference=last.external_id,
                payout=last,
                key=f"payout:{last.pk}",
                expected=expected,
            )

    def _match_unnamed_deposits(self) -> None:
        """A processor's credit that names no payout is the one set of open payouts that adds up."""
        open_payouts = self._open_payouts()
        unnamed = [line for line in self.lines if line.net > 0 and not any(self.named[line.pk])]
        has_more = True
        while has_more:  # what one line takes may leave only one answer for another
            has_more = False
            for line in unnamed:
                if line.pk in self.findings.used:
                    continue
                key = (line.counterparty.casefold(), line.currency, line.booked_on)
                candidates = [
                    payout
                    for payout in open_payouts[key]
                    if payout.pk not in self.findings.arrived
                    and (line.pk, payout.pk) not in self.undone
                ]
                for payout in only_subset(candidates, line.net):
                    self._add_deposit(line, payout.amount, DEPOSIT_AMOUNT, payout)
                    has_more = True

    def _let_deposits_wait(self) -> None:
        """A processor's credit is judged when everything had its time to come."""
        names = {
            name.casefold()
            for names in Source.objects.values_list("counterparties", flat=True)
            for name in names
        }
        self.findings.used |= {
            line.pk for line in self.lines if line.net > 0 and line.counterparty.casefold() in names
        }

    def _open_payouts(self) -> dict[tuple[str, str, date], list[ProcessorPayout]]:
        """Payouts without a deposit by counterparty name, currency and due day."""
        by_key = defaultdict(list)
        waiting = ProcessorPayout.objects.select_related("source_account__source").filter(
            amount__gt=0, match__isnull=True, due_on__lte=self.run.as_of
        )
        for payout in waiting.order_by("pk"):
            for name in payout.source_account.source.counterparties:
                by_key[name.casefold(), payout.currency, payout.due_on].append(payout)
        return by_key

    def _open_missing_deposits(self) -> None:
        """Payouts that were due in a currency this bank reports on and did not arrive."""
        currencies = (
            self.source.accounts.filter(statements__isnull=False)
            .values_list("currency", flat=True)
            .distinct()
        )
        missing = ProcessorPayout.objects.filter(
            amount__gt=0, match__isnull=True, due_on__lte=self.run.as_of, currency__in=currencies
        ).exclude(pk__in=self.findings.arrived)
        for payout in missing.order_by("pk"):
            self._open(
                Types.DEPOSIT_MISSING,
                None,
                payout.amount,
                reference=payout.external_id,
                payout=payout,
                key=f"payout:{payout.pk}",
                expected=payout.amount,
            )

    def _add_deposit(
        self, line: StatementLine, amount: int, rule: MatchingRule, payout: ProcessorPayout
    ) -> None:
        self._add(line, amount, rule, kind=Match.Kind.DEPOSIT, processor_payout=payout)
        self.findings.arrived.add(payout.pk)

    def _add(self, line: StatementLine, amount: int, rule: MatchingRule, **subject: object) -> None:
        match = Match(
            run=self.run,
            rule=rule.name,
            rule_version=rule.version,
            evidence={"reported": line.text, "counterparty": line.counterparty},
            line=line,
            amount=amount,
            created_at=timezone.now(),
            **subject,
        )
        self.findings.matches.append(match)
        self.findings.used.add(line.pk)

    def _open(
        self,
        kind: Types,
        line: StatementLine | None,
        amount: int,
        *,
        reference: str,
        payout: ProcessorPayout | None = None,
        key: str = "",
        expected: int | None = None,
    ) -> None:
        self.findings.discrepancies.append(
            bank_finding(
                kind,
                self.source,
                self.run,
                line,
                amount,
                reference=reference,
                payout=payout,
                key=key,
                expected=expected,
            )
        )

    def _write(self) -> None:
        Match.objects.bulk_create(self.findings.matches)
        keep(self.findings.discrepancies)
        self.own.write(self.source)
        if self.is_full:
            open_missing_payouts(self.source, self.run)
