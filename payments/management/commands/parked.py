"""manage.py parked [list | {retry,ask-to-discard,discard} ID --actor NAME --reason TEXT]"""

from argparse import ArgumentParser
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import CommandError

from ledger.actors import Actor
from ledger.commands import ServiceCommand
from payments.models import ParkedWork
from payments.services.parking import ask_to_discard, discard, retry_parked

STEPS = {
    "retry": (retry_parked, "payments.change_parkedwork"),
    "ask-to-discard": (ask_to_discard, "payments.ask_to_discard_parkedwork"),
    "discard": (discard, "payments.delete_parkedwork"),
}


class Command(ServiceCommand):
    help = (
        "Work that nobody could do: list what waits, have it tried again, or give it up, for which"
        " one person asks and another one agrees."
    )

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("step", nargs="?", choices=["list", *STEPS], default="list")
        parser.add_argument("id", nargs="?", type=int, help="as `list` shows it")
        parser.add_argument("--reason", default="", help="Stays in the audit trail.")
        parser.add_argument("--actor", help="Login name of the person who does it.")

    def run(self, **options: Any) -> None:
        if options["step"] == "list":
            waiting = ParkedWork.objects.filter(resolved_at=None).order_by("id")
            rows = [_shown(parked) for parked in waiting]
            lines = [_line(parked) for parked in waiting]
            self.report({"parked": rows}, lines or ["Nothing is parked."])
            return
        service, permission = STEPS[options["step"]]
        parked = ParkedWork.objects.filter(pk=options["id"]).first()
        if parked is None:
            raise CommandError("Which one? Give the id that `manage.py parked list` shows.")
        actor = _person(options["actor"], permission)
        done = service(parked, actor=actor, reason=options["reason"])
        self.report(_shown(done), [_line(done)])


def _person(name: str | None, permission: str) -> Actor:
    """Somebody who may do this in the back office may do it here."""
    user = get_user_model().objects.filter(username=name, is_active=True).first()
    if user is None:
        raise CommandError("Who does it? Give the login name of an active person with --actor.")
    if not user.has_perm(permission):
        raise CommandError(f"{name} may not do this: it takes {permission}.")
    return Actor.user(user)


def _shown(parked: ParkedWork) -> dict[str, Any]:
    return {
        "id": parked.pk,
        "queue": parked.queue,
        "subject": parked.subject,
        "problem": parked.problem,
        "attempts": parked.attempts,
        "deaths": parked.deaths,
        "failures": parked.failures,
        "parked_at": parked.parked_at.isoformat(),
        "discard_asked_by": parked.discard_asked_by,
        "discard_reason": parked.discard_reason,
        "resolution": parked.resolution,
        "resolved_by": parked.resolved_by,
    }


def _line(parked: ParkedWork) -> str:
    asked = f"; {parked.discard_asked_by} asks to discard it" if parked.discard_asked_by else ""
    state = f"{parked.resolution} by {parked.resolved_by}" if parked.resolution else f"waits{asked}"
    return (
        f"{parked.pk} {parked} since {parked.parked_at:%Y-%m-%d %H:%M}, {parked.attempts} attempts,"
        f" {parked.deaths} deaths, {parked.failures} failures: {parked.problem[:200]!r}; {state}"
    )
