"""Our payouts on the statements of the bank they leave from: left, come back, or missing."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from django.db.models import Q
from django.utils import timezone

from ledger.actors import Actor
from payments.calendar import SATURDAY, add_business_days
from reconciliation.days import start_of
from reconciliation.models import (
    Discrepancy,
    ReconciliationRun,
    Source,
    SourceAccount,
    StatementLine,
)
from reconciliation.services.findings import keep
from reconciliation.statement_days import known_days
from settlements.models import Payout, PayoutAttempt
from settlements.services.payouts import PayoutReturn, mark_paid, mark_returned

Status = Payout.Status
# Why a payment came back, an ISO 20022 ExternalReturnReason1Code: how MT940 says it, and what our
# reader of camt.053 makes of RtrInf.
_is_return = re.compile(r"\bRTRN[ /]{1,2}([A-Z]{2}[A-Z0-9]{2})\b").search


class OwnPayouts:
    """What one bank's lines say of our payouts; true when it is written."""

    def __init__(self) -> None:
        self._paid: dict[int, date] = {}
        self._returned: dict[int, StatementLine] = {}

    def leave_with(self, line: StatementLine, ids: Sequence[int]) -> list[Payout]:
        """Those of the named payouts that are on their way, if they are the debit to the cent."""
        on_their_way = [
            payout
            for payout in Payout.objects.filter(pk__in=ids, status=Status.SENT).order_by("pk")
            if payout.pk not in self._paid
        ]
        if sum(payout.amount for payout in on_their_way) != -line.net:
            return []
        self._paid |= dict.fromkeys((payout.pk for payout in on_their_way), line.booked_on)
        return on_their_way

    def comes_back_with(self, line: StatementLine, ids: Sequence[int]) -> Payout | None:
        """The one named payout, if it has left and the credit is it to the cent."""
        payout = Payout.objects.filter(pk__in=ids).first()
        if len(ids) > 1 or payout is None or payout.amount != line.net:
            return None
        has_left = payout.status == Status.PAID or payout.pk in self._paid
        if not has_left or payout.pk in self._returned:
            return None
        self._returned[payout.pk] = line
        return payout

    def write(self, source: Source) -> None:
        if self._paid:
            mark_paid(self._paid)
        if self._returned:
            mark_returned(
                [_return_of(source, *each) for each in self._returned.items()],
                actor=Actor.system("reconciliation"),
            )


def _return_of(source: Source, payout_id: int, line: StatementLine) -> PayoutReturn:
    code = _is_return(line.text)
    return PayoutReturn(
        payout_id,
        line.booked_on,
        line.source_account.ledger_account.ref,
        line.public_id,
        start_of(line.booked_on, source.time_zone),
        code=code[1] if code else "",
    )


@dataclass(frozen=True, slots=True)
class _Expected:
    """A payout that a bank was told to carry out, and from when to when it should have."""

    payout: Payout
    first_day: date
    due_on: date


def open_missing_payouts(
    source: Source, run: ReconciliationRun, *, only: Payout | None = None
) -> None:
    """Each payout that the bank was told to carry out and did not by its day is missing: of those
    on their way, or `only` one, of which somebody found that its line was about something else.

    It should be on the statement of the account it leaves from on the day its file is for, or when
    it was handed over after that, and `deposit_days` of the bank's source later at the latest.
    Only if the statements leave out no business day of these: else it may be where nobody looked.
    """
    found = []
    for account in source.accounts.order_by("pk"):
        expected = [
            each for each in _expected_from(account, source, only) if each.due_on <= run.as_of
        ]
        if expected:
            known = known_days(account, day=run.as_of)
            found += [
                _missing(each, source, run)
                for each in expected
                if known.have(each.first_day, each.due_on)
            ]
    keep(found)


def _expected_from(
    account: SourceAccount, source: Source, only: Payout | None
) -> Iterator[_Expected]:
    """Payouts that leave from this account of ours: its IBAN is how the bank's source names it."""
    which = Q(payout__status=Status.SENT) if only is None else Q(payout=only)
    attempts = PayoutAttempt.objects.select_related("payout", "file").filter(
        which,
        is_live=True,
        file__debtor__iban=account.identifier,
        file__debtor__currency=account.currency,
    )
    for attempt in attempts.order_by("payout_id"):
        payout, first_day = attempt.payout, attempt.file.execution_on
        if payout.sent_at is not None:
            first_day = max(first_day, payout.sent_at.astimezone(source.time_zone).date())
        if first_day.weekday() >= SATURDAY:
            first_day = add_business_days(first_day, 1)
        yield _Expected(payout, first_day, add_business_days(first_day, source.deposit_days))


def _missing(expected: _Expected, source: Source, run: ReconciliationRun) -> Discrepancy:
    payout, kind = expected.payout, Discrepancy.Type.PAYOUT_MISSING
    return Discrepancy(
        key=f"{kind}:payout:{payout.pk}",
        type=kind,
        source=source,
        reference=payout.public_id,
        currency=payout.currency,
        amount=-payout.amount,
        expected=f"{-payout.amount} {payout.currency}",
        since=expected.due_on,
        payout=payout,
        opened_by=run,
        opened_at=timezone.now(),
    )
