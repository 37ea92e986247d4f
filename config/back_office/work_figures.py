"""What waits for the viewer, how far money is on its way out, and what the schedule did."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db.models import Count, Q, QuerySet, Sum
from django.http import HttpRequest

from config.back_office.figures import Figure, count_each, list_url, may_see, record_url
from config.back_office.payment_figures import unknown_outcomes
from ledger.admin.changes import ChangeWaits
from ledger.changes import carriers
from ledger.models import ChangeRequest
from ledger.money import Money
from payments.models import JobRun, ParkedWork, Payment, Refund
from reconciliation.admin.filters import WaitingLinesFilter
from reconciliation.admin.sign_offs import SignOffWaits
from reconciliation.admin.write_offs import WriteOffWaits
from reconciliation.models import Discrepancy, RejectedLine, SignOff, StatementFile, WriteOff
from settlements.admin.payouts import PayoutWaits
from settlements.models import Payout, SettlementBatch

RECENT_DAYS = 30
Batch, Paid = SettlementBatch.Status, Payout.Status
UNDER_WAY = (Paid.PENDING_APPROVAL, Paid.APPROVED, Paid.SENT)


@dataclass(frozen=True, slots=True)
class _Task:
    """Work for whoever has the permission; `query` filters its list as `rows` are."""

    label: str
    permission: str
    model: type[Any]
    rows: QuerySet[Any]
    query: dict[str, str]
    tone: str = "warn"

    def figure(self, count: int) -> Figure:
        url = list_url(self.model, **self.query)
        return Figure(self.label, count, url, tone=self.tone if count else "good")


def count_tasks(request: HttpRequest) -> dict[str, list[Figure]]:
    """What waits for the viewer, and what is stuck: one query for all."""
    groups = {"waiting": _decisions(request) + _work(request), "stuck": _stuck()}
    shown = {
        f"{name} {at}": (name, task)
        for name, tasks in groups.items()
        for at, task in enumerate(tasks)
        if request.user.has_perm(task.permission) and may_see(request, task.model)
    }
    counts = count_each({key: task.rows for key, (_, task) in shown.items()})
    figures: dict[str, list[Figure]] = {name: [] for name in groups}
    for key, (name, task) in shown.items():
        figures[name].append(task.figure(counts[key]))
    return figures


def _decisions(request: HttpRequest) -> list[_Task]:
    waits = {"waits_for": "me"}
    approves = (each.permission("approve") for each in carriers())
    changes = [
        _Task(
            "Changes to decide",
            permission,
            ChangeRequest,
            ChangeWaits.waiting(request, ChangeRequest.objects.all()),
            waits,
        )
        for permission in filter(request.user.has_perm, approves)
    ]
    return [
        *changes[:1],
        _Task(
            "Write-offs to decide",
            "reconciliation.approve_writeoff",
            WriteOff,
            WriteOffWaits.waiting(request, WriteOff.objects.all()),
            waits,
        ),
        _Task(
            "Days to sign",
            "reconciliation.change_signoff",
            SignOff,
            SignOffWaits.waiting(request, SignOff.objects.all()),
            waits,
        ),
        _Task(
            "Payouts to approve",
            "settlements.approve_payout",
            Payout,
            PayoutWaits.waiting(request, Payout.objects.all()),
            waits,
        ),
    ]


def _work(request: HttpRequest) -> list[_Task]:
    work = "reconciliation.change_discrepancy"
    unsettled = Discrepancy.objects.filter(status__in=Discrepancy.UNSETTLED, resolved_at=None)
    lines = RejectedLine.objects.filter(resolution="", file__loaded_at__isnull=False)
    return [
        _Task(
            "My discrepancies",
            work,
            Discrepancy,
            unsettled.filter(owner=request.user.pk),
            {"work": "mine"},
        ),
        _Task(
            "Nobody's discrepancies",
            work,
            Discrepancy,
            unsettled.filter(owner=None),
            {"work": "unassigned"},
        ),
        _Task(
            "Lines in quarantine",
            "reconciliation.correct_rejectedline",
            RejectedLine,
            lines,
            {WaitingLinesFilter.parameter_name: "yes"},
        ),
    ]


def _stuck() -> list[_Task]:
    unknown = unknown_outcomes()
    refused = StatementFile.objects.filter(status=StatementFile.Status.REFUSED)
    return [
        _Task(
            "Payments of unknown outcome",
            "payments.view_payment",
            Payment,
            unknown["unknown_payments"],
            {"outcome": "unknown"},
        ),
        _Task(
            "Refunds of unknown outcome",
            "payments.view_refund",
            Refund,
            unknown["unknown_refunds"],
            {"outcome": "unknown"},
        ),
        _Task(
            "Parked work",
            "payments.view_parkedwork",
            ParkedWork,
            ParkedWork.objects.filter(resolved_at=None),
            {"state": "waiting"},
            tone="bad",
        ),
        _Task(
            "Refused statement files",
            "reconciliation.view_statementfile",
            StatementFile,
            refused,
            {"status__exact": "REFUSED"},
            tone="bad",
        ),
    ]


def pipeline(today: date) -> list[Figure]:
    """Batches that are not paid yet, and payouts from approval to the bank statement."""
    since = today - timedelta(days=RECENT_DAYS)
    batches = _sums(SettlementBatch.objects.filter(status__in=[Batch.OPEN, Batch.FAILED]), "net")
    recent = Q(status=Paid.PAID, paid_on__gte=since)
    payouts = _sums(Payout.objects.filter(Q(status__in=UNDER_WAY) | recent), "amount")
    return [
        _stage("Batches open", SettlementBatch, batches, Batch.OPEN),
        _stage("Batches whose payout failed", SettlementBatch, batches, Batch.FAILED, tone="bad"),
        _stage("Payouts to approve", Payout, payouts, Paid.PENDING_APPROVAL),
        _stage("Payouts to send", Payout, payouts, Paid.APPROVED),
        _stage("Payouts on their way", Payout, payouts, Paid.SENT),
        _stage(
            f"Paid in {RECENT_DAYS} days",
            Payout,
            payouts,
            Paid.PAID,
            tone="good",
            paid_on__gte=since,
        ),
    ]


Sums = dict[str, list[tuple[int, Money]]]


def _sums(rows: QuerySet[Any], field: str) -> Sums:
    """By status: how many and how much, one of each per currency."""
    found = rows.order_by().values_list("status", "currency")
    sums: Sums = {}
    for status, currency, number, total in found.annotate(
        number=Count("pk"), total=Sum(field)
    ).order_by("currency"):
        sums.setdefault(status, []).append((number, Money(total, currency)))
    return sums


def _stage(
    label: str, model: type[Any], sums: Sums, status: str, *, tone: str = "", **query: Any
) -> Figure:
    parts = sums.get(status, [])
    count = sum(number for number, _ in parts)
    url = list_url(model, status__exact=status, **query)
    return Figure(label, count, url, tuple(money for _, money in parts), tone if count else "")


def parked_by_queue() -> list[Figure]:
    found = ParkedWork.objects.filter(resolved_at=None).order_by().values_list("queue")
    return [
        Figure(queue, count, list_url(ParkedWork, state="waiting", queue=queue), tone="bad")
        for queue, count in found.annotate(number=Count("pk")).order_by("queue")
    ]


@dataclass(frozen=True, slots=True)
class LastRun:
    """The newest run of one job of the timetable."""

    run: JobRun
    url: str
    all_url: str
    tone: str


def last_runs() -> list[LastRun]:
    runs = JobRun.objects.order_by("job", "-id").distinct("job")
    return [
        LastRun(run, record_url(run), list_url(JobRun, q=run.job), _tone_of(run)) for run in runs
    ]


def _tone_of(run: JobRun) -> str:
    if run.status == JobRun.Status.DONE:
        return "good"
    return "bad" if run.failures or run.status == JobRun.Status.SKIPPED else "warn"
