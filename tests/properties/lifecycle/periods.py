"""Periods are closed, locked and reopened; entries are sealed."""

from hypothesis.stateful import precondition, rule

from ledger.models import AccountingPeriod
from ledger.services.periods import (
    approve_reopening,
    close_period,
    lock_period,
    request_reopening,
)
from ledger.services.sealing import seal_entries
from tests.properties.lifecycle.two_ledgers import CHECKER, MAKER, MONTHS, TwoLedgers


class PeriodRules(TwoLedgers):
    @rule()
    def close_the_next_period(self) -> None:
        period = AccountingPeriod.objects.filter(status="OPEN").order_by("starts_at").first()
        if period is not None:
            close_period(period.code, actor=MAKER)
            self.slow.closed_until = period.ends_at

    @precondition(lambda self: self.slow.closed_until)
    @rule()
    def lock_the_first_closed_period(self) -> None:
        period = AccountingPeriod.objects.filter(status="CLOSED").order_by("starts_at").first()
        if period is not None:
            lock_period(period.code, actor=MAKER)

    @precondition(lambda self: self.slow.closed_until)
    @rule()
    def reopen_the_last_closed_period(self) -> None:
        period = AccountingPeriod.objects.exclude(status="OPEN").order_by("-starts_at").first()
        assert period is not None
        if period.status == "LOCKED":
            return
        request_reopening(period.code, actor=MAKER, reason="an invoice came late")
        approve_reopening(period.code, actor=CHECKER)
        is_first = period.starts_at == MONTHS[0]
        self.slow.closed_until = None if is_first else period.starts_at

    @rule()
    def seal(self) -> None:
        seal_entries()
