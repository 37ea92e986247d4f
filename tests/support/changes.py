"""Somebody who agrees to what others ask for."""

from ledger.actors import Actor
from ledger.models import ChangeRequest
from ledger.services.changes import approve_change

BOSS = Actor("user", "99", "boss@example.com")


def agree(change: ChangeRequest, *, actor: Actor = BOSS) -> ChangeRequest:
    return approve_change(change, actor=actor, reason="Agreed.")
