"""manage.py add_person EMAIL --role ROLE … --reason TEXT"""

from argparse import ArgumentParser
from typing import Any

from django.contrib.auth.models import User

from config.people import staff
from config.people.roles import Role
from ledger.actors import Actor
from ledger.commands import ServiceCommand


class Command(ServiceCommand):
    help = (
        "Give a person just these roles, and a link to set a password: for the first people, while"
        " there are no two yet who could agree. Adds the person if need be."
    )

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email", help="The address the person signs in with.")
        parser.add_argument(
            "--role", action="append", required=True, choices=list(Role), help="May be repeated."
        )
        parser.add_argument("--reason", required=True, help="Stays in the audit trail.")

    def run(self, **options: Any) -> None:
        actor, reason = Actor.system("add_person"), options["reason"]
        user = User.objects.filter(username=options["email"].lower()).first()
        if user is None:
            user = staff.add_person(options["email"], actor=actor, reason=reason)
        staff.set_roles(user, options["role"], actor=actor, reason=reason)
        link = staff.welcome_link(user, actor=actor, reason=reason)
        self.report(
            {"person": user.username, "roles": options["role"], "link": link},
            [f"{user}: {', '.join(options['role'])}. A password is set at {link}, once, today."],
        )
