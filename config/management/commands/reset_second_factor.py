"""manage.py reset_second_factor NAME --reason TEXT"""

from argparse import ArgumentParser
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import CommandError

from config.people.second_factor import reset_second_factor
from ledger.actors import Actor
from ledger.commands import ServiceCommand


class Command(ServiceCommand):
    help = (
        "Take a person's second factor away, where no other security admin can. The person enrols"
        " a phone with the next sign-in."
    )

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="The name the person signs in with.")
        parser.add_argument("--reason", required=True, help="Stays in the audit trail.")

    def run(self, **options: Any) -> None:
        user = User.objects.filter(username=options["name"]).first()
        if user is None:
            raise CommandError(f"There is nobody called {options['name']}.")
        actor = Actor.system("reset_second_factor")
        reset_second_factor(user, actor=actor, reason=options["reason"])
        self.report({"reset": user.username}, [f"{user} enrols a phone with the next sign-in."])
