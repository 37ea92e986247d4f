"""How far the run is that is under way: told by itself, read by whoever looks at it."""

from dataclasses import dataclass

from payments import progress
from reconciliation.locks import RECONCILIATION_RUN_LOCK
from reconciliation.models import Match, ReconciliationRun, Source

RECONCILIATION = "reconciliation"


@dataclass(frozen=True, slots=True)
class RunProgress:
    """`is_running` is proved by the run's lock. `percent` is None where nobody can tell."""

    run: ReconciliationRun
    is_running: bool
    said: str
    percent: int | None = None

    @property
    def state(self) -> str:
        if self.run.finished_at is not None:
            return "finished"
        return "under way" if self.is_running else "cut off"


def begin_run(run: ReconciliationRun) -> None:
    """The run that holds the lock now works on this one."""
    progress.begin(
        RECONCILIATION,
        run=run.public_id,
        phase="looking at what there is",
        first=run.posted_through or _newest_match(),
    )


def begin_source(source: Source, *, number: int, of: int) -> None:
    is_bank = source.kind == Source.Kind.BANK_STATEMENT
    phase = "matching bank lines" if is_bank else "gathering payouts and disputes"
    progress.tell(RECONCILIATION, source=source.code, number=number, sources=of, phase=phase)


def begin_phase(phase: str) -> None:
    """What is done with the source now, in words for people."""
    progress.tell(RECONCILIATION, phase=phase)


def begin_posting() -> None:
    """From here on `posted_through` of the run's own row says how far it is."""
    progress.tell(RECONCILIATION, phase="posting", last=_newest_match())


def progress_of(run: ReconciliationRun) -> RunProgress:
    """What its record, its lock and its last words say together."""
    if run.finished_at is not None:
        found = f"{run.match_count} matches, {run.discrepancy_count} discrepancies"
        return RunProgress(run, False, f"{found}.")
    told = progress.told(RECONCILIATION, lock=RECONCILIATION_RUN_LOCK)
    if told is None:
        return RunProgress(run, False, "What it posted stays; the next run like it goes on here.")
    if not told.said:
        return RunProgress(run, True, "A run is under way; how far it is cannot be told.")
    if told.said.get("run") != run.public_id:
        other = told.said.get("run", "")
        return RunProgress(run, False, f"{other} is under way; what is left here is done in turn.")
    return _running(run, told)


def run_under_way() -> RunProgress | None:
    """The unfinished run that is worked on, or else the newest one that was cut off."""
    unfinished = ReconciliationRun.objects.filter(finished_at=None).order_by("-pk")
    found = [progress_of(run) for run in unfinished]
    return next((each for each in found if each.is_running), found[0] if found else None)


def _running(run: ReconciliationRun, told: progress.Told) -> RunProgress:
    first, last = told.number("first"), told.number("last")
    if first is not None and last is not None:
        total = max(last - first, 0)
        done = min(max(run.posted_through - first, 0), total)
        said = f": about {done} of {total} matches" if total else " what was matched"
        return RunProgress(run, True, f"Posting{said}.", 100 * done // total if total else None)
    phase, source = told.said.get("phase", ""), told.said.get("source", "")
    number, sources = told.number("number"), told.number("sources")
    if not (source and number and sources):
        return RunProgress(run, True, f"{phase.capitalize()}.")
    said = f"Source {number} of {sources}, {source}: {phase}."
    return RunProgress(run, True, said, 100 * (number - 1) // sources)


def _newest_match() -> int:
    newest = Match.objects.order_by("-pk").values_list("pk", flat=True).first()
    return newest or 0
