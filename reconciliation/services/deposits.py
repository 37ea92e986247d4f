"""Matching bank lines with what processors and we sent: n payouts may arrive as one deposit."""

import re
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date

from django.utils import timezone

from ledger import sql
from ledger.actors import Actor
from reconciliation.days import start_of
from reconciliation.matching_rules import DEPOSIT_AMOUNT, OWN_PAYOUT_ID, PAYOUT_ID, MatchingRule
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
from reconciliation.services.findings import keep
from reconciliation.services.subsets import only_subset
from settlements.models import Payout
from settlements.services.payouts import PayoutReturn, mark_paid, mark_returned

Types = Discrepancy.Type
# Why a payment came back, an ISO 20022 ExternalReturnReason1Code: how MT940 says it, and what our
# reader of camt.053 makes of RtrInf.
_is_return = re.compile(r"\bRTRN[ /]{1,2}([A-Z]{2}[A-Z0-9]{2})\b").search


@dataclass(slots=True)
class Findings:
    """What is found about one bank's lines, to be written at the end."""

    matches: list[tuple[Match, StatementLine, int]] = field(default_factory=list)
    discrepancies: list[Discrepancy] = field(default_factory=list)
    used: set[int] = field(default_factory=set)  # lines that are explained or judged
    arrived: set[int] = field(default_factory=set)  # processor payouts that have their deposit
    paid: dict[int, date] = field(default_factory=dict)  # our payouts and the day they left
    returned: dict[int, StatementLine] = field(default_factory=dict)  # and those that came back


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
        rows = sql.rows("reconciliation", "bank_candidates", source_id=source.pk, as_of=run.as_of)
        self.named = {row.line_id: (row.processor_payout_ids, row.payout_ids) for row in rows}
        self.lines = list(
            StatementLine.objects.select_related("source_account__ledger_account")
            .filter(pk__in=self.named)
            .order_by("booked_on", "file__name", "file__sha256", "line_no")
        )
        self.payouts = ProcessorPayout.objects.select_related("source_account__source").in_bulk(
            {pk for arriving, _ in self.named.values() for pk in arriving}
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
            arriving, leaving = self.named[line.pk]
            if leaving and line.net > 0:
                self._note_return(line, leaving)
            elif leaving:
                self._match_own_payout(line, leaving)
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

    def _match_own_payout(self, line: StatementLine, ids: list[int]) -> None:
        """A debit that carries the id of one payout we sent, to the cent, is that payout."""
        payout = Payout.objects.filter(pk__in=ids, status=Payout.Status.SENT).first()
        is_free = payout is not None and payout.pk not in self.findings.paid
        if len(ids) == 1 and payout is not None and is_free and payout.amount == -line.net:
            self._add(line, line.net, OWN_PAYOUT_ID, kind=Match.Kind.PAYOUT, payout=payout)
            self.findings.paid[payout.pk] = line.booked_on

    def _note_return(self, line: StatementLine, ids: list[int]) -> None:
        """A credit that carries the id of one payout that left, to the cent, is it coming back."""
        payout = Payout.objects.filter(pk__in=ids).first()
        if len(ids) > 1 or payout is None or payout.amount != line.net:
            return
        has_left = payout.status == Payout.Status.PAID or payout.pk in self.findings.paid
        if has_left and payout.pk not in self.findings.returned:
            self.findings.returned[payout.pk] = line
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
            created_at=timezone.now(),
            **subject,
        )
        self.findings.matches.append((match, line, amount))
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
        Match.objects.bulk_create([match for match, _, _ in self.findings.matches])
        MatchLine.objects.bulk_create(
            [
                MatchLine(match=match, line=line, amount=amount)
                for match, line, amount in self.findings.matches
            ]
        )
        keep(self.findings.discrepancies)
        if self.findings.paid:
            mark_paid(self.findings.paid)
        if self.findings.returned:
            mark_returned(
                [self._return_of(*each) for each in self.findings.returned.items()],
                actor=Actor.system("reconciliation"),
            )

    def _return_of(self, payout_id: int, line: StatementLine) -> PayoutReturn:
        account = line.source_account.ledger_account.ref
        effective_at = start_of(line.booked_on, self.source.time_zone)
        code = _is_return(line.text)
        return PayoutReturn(
            payout_id,
            line.booked_on,
            account,
            line.public_id,
            effective_at,
            code=code[1] if code else "",
        )
