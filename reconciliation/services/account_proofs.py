"""What tie-outs came to, kept for those who only want to know whether all is well."""

from collections.abc import Iterable
from datetime import date, datetime

from django.db.models import Q, QuerySet

from ledger import sql
from reconciliation.locks import only_one_who_proves
from reconciliation.models import ReconciliationRun, Source, SourceAccount
from reconciliation.reports import known_horizon
from reconciliation.selectors import tie_out


def keep_due_proofs() -> None:
    """The tie-outs of all accounts that a full run looked at since theirs were kept.

    A tie-out reads all lines of its account, so no run waits for it. Whoever calls this while
    somebody else is at it does nothing; so does whoever comes while a transaction lasts that began
    before the run ended, as what that adds would not be in the tie-out.
    """
    known_at = known_horizon()
    with only_one_who_proves() as is_ours:
        for source in Source.objects.order_by("pk") if is_ours else ():
            run = _newest_run_of(source)
            if run is None or run.finished_at is None or known_at < run.finished_at:
                continue
            is_kept = Q(proof__known_at__gte=run.finished_at) | Q(proof__day__gt=run.as_of)
            keep_proofs(_accounts_of(source).exclude(is_kept), day=run.as_of, known_at=known_at)


def keep_proofs(accounts: Iterable[SourceAccount], *, day: date, known_at: datetime) -> None:
    """The tie-out of each account at the end of the day, as known then, is kept.

    Unless one of a later day, or known later, is kept already.
    """
    for account in accounts:
        found = tie_out(account, day=day, known_at=known_at)
        sql.execute(
            "reconciliation",
            "keep_proof",
            source_account_id=account.pk,
            day=day,
            known_at=known_at,
            book=found.book.amount,
            statement=found.statement.amount,
            explained=found.open.amount,
            open_items=len(found.open_items),
        )


def _newest_run_of(source: Source) -> ReconciliationRun | None:
    full = ReconciliationRun.objects.filter(
        trigger=ReconciliationRun.Trigger.FULL,
        source_code__in=("", source.code),
        finished_at__isnull=False,
    )
    return full.order_by("-pk").first()


def _accounts_of(source: Source) -> QuerySet[SourceAccount]:
    return source.accounts.select_related("source", "ledger_account").order_by("pk")
