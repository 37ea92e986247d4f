"""manage.py jobs [--job NAME] [--open] [--limit N]"""

from argparse import ArgumentParser
from typing import Any

from django.db.models import Max
from django.utils import timezone

from config import timetable
from ledger.commands import ServiceCommand
from payments.models import JobRun
from payments.services.jobs import state_of

RUNS_SHOWN = 20


class Command(ServiceCommand):
    help = "What the timetable asks for: when each job is due next, and what became of its periods."

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--job", help="Only this one.")
        parser.add_argument("--open", action="store_true", help="Only what is not over.")
        parser.add_argument(
            "--limit", type=int, default=RUNS_SHOWN, help=f"Newest runs shown ({RUNS_SHOWN})."
        )

    def run(self, **options: Any) -> None:
        now = timezone.now()
        runs = JobRun.objects.order_by("-business_period", "-id")
        if options["job"]:
            runs = runs.filter(job=options["job"])
        if options["open"]:
            runs = runs.filter(status=JobRun.Status.DUE)
        jobs = [job for job in _jobs() if options["job"] in (None, job["job"])]
        shown = [_described(run, state_of(run, now=now)) for run in runs[: options["limit"]]]
        self.report(
            {"jobs": jobs, "runs": shown},
            [
                *("{job:<10} next {next_period} at {next_at}".format(**job) for job in jobs),
                *map(_line, shown),
            ],
        )


def _jobs() -> list[dict[str, Any]]:
    newest = dict(JobRun.objects.values_list("job").annotate(period=Max("business_period")))
    described = []
    for job in timetable.JOBS:
        known = newest.get(job.name)
        period = job.schedule.next_after(known or job.schedule.newest(timezone.now()))
        due_at = job.schedule.due_at(period)
        described.append({"job": job.name, "next_period": period, "next_at": due_at.isoformat()})
    return described


def _described(run: JobRun, state: str) -> dict[str, Any]:
    return {
        "id": run.pk,
        "job": run.job,
        "business_period": run.business_period,
        "state": state,
        "attempts": run.attempts,
        "failures": run.failures,
        "deaths": run.deaths,
        "due_at": run.due_at,
        "started_at": run.started_at,
        "finished_at": run.finished_at,
        "result": run.result,
        "problem": run.problem,
    }


def _line(run: dict[str, Any]) -> str:
    said = run["problem"] if run["state"] in ("RETRYING", "PARKED") else run["result"]
    return "{job:<10} {business_period} {state:<8} {said}".format(said=said, **run).rstrip()
