"""Changes take two people: what was asked for is what is done, in time, once."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from ledger.actors import Actor
from ledger.errors import DomainError, InvalidTransition
from ledger.models import AuditEvent, ChangeRequest
from ledger.services import changes
from ledger.services.audit import ReasonMissing
from ledger.services.changes import (
    ChangeAltered,
    ChangeExpired,
    ChangeNeedsSecondPerson,
    ChangeOutdated,
    approve_change,
    refuse_change,
    withdraw_change,
)
from payments.models import FeePlan, Merchant
from payments.services.merchants import FeePlanInUse, set_fee_plan
from payments.services.price_changes import Prices, ask_for_prices
from tests.support.changes import ASKER, BOSS, agree, prices, today
from tests.support.forgery import Forge, forge
from tests.support.refusals import constraint_of, refused_by

__all__ = ["forge"]
pytestmark = pytest.mark.django_db
CHG = "ledger_changerequest"


def in_force(shop: Merchant) -> list[int]:
    plans = FeePlan.objects.filter(merchant=shop, currency="EUR", valid_from=today())
    return list(plans.values_list("basis_points", flat=True))


def test_asking_changes_nothing_and_agreeing_does_just_what_was_asked(shop: Merchant) -> None:
    change = prices(shop)
    assert (change.status, in_force(shop)) == ("REQUESTED", [])
    assert not AuditEvent.objects.filter(action="fee_plan.set").exists()

    agree(change)

    change.refresh_from_db()
    assert (change.status, change.decided_by) == ("APPLIED", "user:boss@example.com")
    assert in_force(shop) == [190]
    plan = FeePlan.objects.get(merchant=shop, valid_from=today(), currency="EUR")
    assert (plan.set_by, plan.reason) == ("user:asker@example.com", "New contract.")
    asked, approved = AuditEvent.objects.filter(subject=change.public_id).order_by("pk")
    assert (asked.action, approved.action) == ("change.requested", "change.approved")
    assert asked.after["digest"] == approved.after["digest"] == change.digest
    assert approved.after["asked_by"] == "user:asker@example.com"


def test_what_could_not_be_carried_out_cannot_be_asked_for(shop: Merchant) -> None:
    set_fee_plan(shop, currency="EUR", basis_points=100, valid_from=today())

    with pytest.raises(FeePlanInUse):
        prices(shop)
    with pytest.raises(ReasonMissing):
        ask_for_prices(
            shop,
            Prices(1),
            currency="USD",
            method="",
            valid_from=today(),
            actor=ASKER,
            reason=" ",
        )

    assert not ChangeRequest.objects.exists()


@pytest.mark.parametrize("actor", [ASKER, Actor.system("load_config")])
def test_a_second_person_agrees_and_no_program(shop: Merchant, actor: Actor) -> None:
    change = prices(shop)

    with pytest.raises(ChangeNeedsSecondPerson):
        agree(change, actor=actor)

    assert in_force(shop) == []


def test_after_72_hours_it_is_asked_for_anew(
    shop: Merchant, monkeypatch: pytest.MonkeyPatch
) -> None:
    change = prices(shop, valid_from=today() + timedelta(days=10))
    assert change.expires_at - change.created_at == timedelta(hours=72)
    now = timezone.now() + timedelta(hours=72, seconds=1)
    monkeypatch.setattr(changes.timezone, "now", lambda: now)

    with pytest.raises(ChangeExpired):
        agree(change)
    assert not FeePlan.objects.filter(merchant=shop, basis_points=190).exists()


def test_the_database_takes_no_late_decision_and_no_longer_wait() -> None:
    now = timezone.now()
    fields = {
        **{"kind": "roles", "subject": "user:0", "payload": {}, "in_force": {}, "digest": "x"},
        **{"reason": "x", "requested_by": "user:x", "created_at": now},
    }
    for wrong, constraint in (
        ({"expires_at": now + timedelta(hours=73)}, "ledger_change_expires"),
        (
            {
                **{"expires_at": now, "status": "APPLIED", "decided_by": "user:y"},
                "decided_at": now + timedelta(seconds=1),
            },
            "ledger_change_in_time",
        ),
    ):
        with pytest.raises(IntegrityError) as refusal, transaction.atomic():
            ChangeRequest.objects.create(**fields, **wrong)
        assert constraint_of(refusal.value) == constraint


def test_the_database_keeps_what_was_asked_and_what_was_decided(shop: Merchant) -> None:
    change = prices(shop)
    frozen = ("kind", "subject", "digest", "reason", "requested_by")

    for column in frozen:
        assert refused_by(f"UPDATE {CHG} SET {column} = 'x'") == "ledger_append_only", column
    for column in ("payload", "in_force"):
        assert refused_by(f"UPDATE {CHG} SET {column} = '{{}}'") == "ledger_append_only"
    assert refused_by(f"UPDATE {CHG} SET expires_at = now()") == "ledger_append_only"
    assert refused_by(f"DELETE FROM {CHG}") == "ledger_append_only"

    refuse_change(change, actor=BOSS, reason="No.")
    statement = f"UPDATE {CHG} SET status = 'REQUESTED', decided_by = '', decided_at = NULL"
    assert refused_by(statement) == "ledger_append_only"


def test_what_was_altered_behind_the_triggers_is_not_done(shop: Merchant, forge: Forge) -> None:
    change = prices(shop)
    forge(f"UPDATE {CHG} SET payload = jsonb_set(payload, '{{basis_points}}', '0')")

    with pytest.raises(ChangeAltered):
        agree(change)

    assert in_force(shop) == []


def test_what_is_not_as_it_was_shown_is_asked_for_anew(shop: Merchant) -> None:
    tomorrow = today() + timedelta(days=1)
    first, second = prices(shop, 190, valid_from=tomorrow), prices(shop, 180, valid_from=tomorrow)
    agree(first)

    with pytest.raises(ChangeOutdated):
        agree(second)

    assert FeePlan.objects.get(merchant=shop, valid_from=tomorrow).basis_points == 190


@pytest.mark.parametrize(
    ("drop", "status"), [(refuse_change, "REFUSED"), (withdraw_change, "WITHDRAWN")]
)
def test_what_was_refused_or_withdrawn_is_over(shop: Merchant, drop: Any, status: str) -> None:
    change = prices(shop)
    with pytest.raises(ReasonMissing):
        drop(change, actor=BOSS, reason="")

    assert drop(change, actor=BOSS, reason="Not now.").status == status

    for decide in (approve_change, refuse_change, withdraw_change):
        with pytest.raises(InvalidTransition):
            decide(change, actor=BOSS, reason="After all.")
    assert in_force(shop) == []


def test_every_refusal_of_a_change_has_its_own_code() -> None:
    found = {
        each.code
        for each in vars(changes).values()
        if isinstance(each, type)
        and issubclass(each, DomainError)
        and each.__module__ == changes.__name__
    }

    assert found == {
        *("change_altered", "change_expired", "change_needs_second_person"),
        *("change_of_oneself", "change_outdated"),
    }
