"""One person prepares a day, another signs it, once."""

import hashlib

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission, User
from django.db import IntegrityError, connection, transaction
from django.urls import reverse
from django.utils import timezone

from ledger.actors import Actor
from ledger.errors import InvalidTransition
from ledger.models import AuditEvent
from ledger.services.audit import ReasonMissing
from reconciliation.admin.sign_offs import SignOffAdmin
from reconciliation.models import SignOff
from reconciliation.services.sign_offs import (
    SignerIsPreparer,
    SignOffExists,
    SignOffNeedsPerson,
    prepare_sign_off,
    sign,
    withdraw,
)
from tests.support.races import run_together
from tests.support.reports import DAY
from tests.support.sign_offs import CHECKER, MAKER, account, sources

__all__ = ["account", "sources"]
pytestmark = pytest.mark.django_db
OTHER = Actor("user", "3", "other@example.com")
SIGN_OFFS = "admin:reconciliation_signoff"


def test_day_is_prepared_by_one_person_and_signed_by_another(account):
    sign_off = prepare_sign_off(account, DAY, actor=MAKER)
    signed = sign(sign_off, actor=CHECKER)

    assert (signed.status, signed.prepared_by, signed.signed_by) == (
        "SIGNED",
        "user:maker@example.com",
        "user:checker@example.com",
    )
    assert signed.content_hash == hashlib.sha256(signed.content.encode()).hexdigest()
    events = AuditEvent.objects.filter(subject=signed.public_id).order_by("pk")
    assert [event.action for event in events] == ["sign_off.prepared", "sign_off.signed"]
    assert events[1].after["content_hash"] == signed.content_hash


def test_nobody_signs_what_he_prepared(account):
    sign_off = prepare_sign_off(account, DAY, actor=MAKER)

    with pytest.raises(SignerIsPreparer):
        sign(sign_off, actor=MAKER)
    with pytest.raises(IntegrityError, match="four_eyes"), transaction.atomic():
        SignOff.objects.filter(pk=sign_off.pk).update(
            status="SIGNED", signed_by=str(MAKER), signed_at=timezone.now()
        )

    sign_off.refresh_from_db()
    assert (sign_off.status, sign_off.signed_by) == ("PREPARED", "")


def test_no_program_signs(account):
    sign_off = prepare_sign_off(account, DAY, actor=Actor.system("night"))

    with pytest.raises(SignOffNeedsPerson):
        sign(sign_off, actor=Actor.system("robot"))


def test_day_is_signed_off_once_until_that_is_withdrawn(account):
    first = sign(prepare_sign_off(account, DAY, actor=MAKER), actor=CHECKER)
    with pytest.raises(SignOffExists):
        prepare_sign_off(account, DAY, actor=MAKER)
    with pytest.raises(ReasonMissing):
        withdraw(first, reason=" ", actor=CHECKER)

    withdraw(first, reason="A file was missing.", actor=CHECKER)
    second = sign(prepare_sign_off(account, DAY, actor=MAKER), actor=CHECKER)

    first.refresh_from_db()
    assert (first.status, first.withdrawn_by, first.signed_by) == (
        "WITHDRAWN",
        str(CHECKER),
        str(CHECKER),
    )
    assert second.status == "SIGNED"
    with pytest.raises(InvalidTransition):
        sign(first, actor=OTHER)


@pytest.mark.parametrize(
    "change",
    [
        "content = replace(content, '1098.35', '1098.36')",
        "content = content || ' ', content_hash = encode(sha256((content || ' ')::bytea), 'hex')",
        "content_hash = repeat('0', 64)",
        "known_at = now()",
        "day = day + 1",
        "prepared_by = 'user:somebody'",
        "signed_by = 'user:somebody'",
        "signed_at = now() + interval '1 day'",
        "status = 'PREPARED', signed_by = '', signed_at = NULL",
        "withdrawn_by = 'user:somebody'",
    ],
)
def test_database_refuses_to_change_what_was_signed(account, change):
    sign_off = sign(prepare_sign_off(account, DAY, actor=MAKER), actor=CHECKER)

    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE reconciliation_signoff SET {change}")
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM reconciliation_signoff")

    again = SignOff.objects.get()
    assert (again.content, again.status, again.signed_by) == (
        sign_off.content,
        "SIGNED",
        str(CHECKER),
    )


def officer(client, name: str, *permissions: str):
    user = User.objects.create_user(name, password="x", is_staff=True)
    names = ("view_signoff", *permissions)
    user.user_permissions.set(Permission.objects.filter(codename__in=names))
    client.force_login(user)
    return client


def test_two_people_sign_off_in_the_back_office(client, account):
    assert isinstance(admin.site.get_model_admin(SignOff), SignOffAdmin)
    maker = officer(client, "maker@example.com", "add_signoff")
    prepared = maker.post(
        reverse(f"{SIGN_OFFS}_prepare"),
        {"account": account.pk, "day": str(DAY), "reason": "All is explained."},
    )
    sign_off = SignOff.objects.get()
    event = AuditEvent.objects.get(action="sign_off.prepared")
    assert event.reason == "All is explained."
    assert prepared["Location"] == reverse(f"{SIGN_OFFS}_change", args=[sign_off.pk])
    step = reverse(f"{SIGN_OFFS}_sign", args=[sign_off.pk])
    assert maker.post(step, {"reason": "Read."}).status_code == 403

    checker = officer(client, "checker@example.com", "change_signoff", "delete_signoff")
    page = checker.get(reverse(f"{SIGN_OFFS}_report", args=[sign_off.pk])).content.decode()
    text = checker.get(reverse(f"{SIGN_OFFS}_report_json", args=[sign_off.pk])).content
    checker.post(step, {"reason": "Read."})

    sign_off.refresh_from_db()
    assert (sign_off.status, sign_off.signed_by) == ("SIGNED", "user:checker@example.com")
    assert sign_off.content_hash in page
    assert "1098.35" in page
    assert hashlib.sha256(text).hexdigest() == sign_off.content_hash
    shown = checker.get(reverse(f"{SIGN_OFFS}_change", args=[sign_off.pk])).content.decode()
    assert step not in shown
    withdrawal = reverse(f"{SIGN_OFFS}_withdraw", args=[sign_off.pk])
    assert withdrawal in shown
    checker.post(withdrawal, {"reason": "Late file."})
    sign_off.refresh_from_db()
    assert (sign_off.status, sign_off.reason) == ("WITHDRAWN", "Late file.")


def test_back_office_shows_why_a_day_cannot_be_prepared(client, account):
    account.source.options = {"sign_off": {"materiality": {"EUR": "0.00"}}}
    account.source.save()
    maker = officer(client, "maker@example.com", "add_signoff")

    wish = {"account": account.pk, "day": str(DAY)}
    silent = maker.post(reverse(f"{SIGN_OFFS}_prepare"), wish)
    page = maker.post(reverse(f"{SIGN_OFFS}_prepare"), {**wish, "reason": "It is time."})

    assert "This field is required" in silent.content.decode()

    assert "is not settled" in page.content.decode()
    assert not SignOff.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_of_two_people_who_sign_at_once_one_did(account):
    sign_off = prepare_sign_off(account, DAY, actor=MAKER)

    outcomes = run_together(
        lambda: sign(sign_off, actor=CHECKER), lambda: sign(sign_off, actor=OTHER)
    )

    assert {type(each) for each in outcomes} == {SignOff, InvalidTransition}
    signed = AuditEvent.objects.filter(subject=sign_off.public_id, action="sign_off.signed")
    (event,) = signed
    sign_off.refresh_from_db()
    assert sign_off.signed_by == f"user:{event.actor_label}"


@pytest.mark.django_db(transaction=True)
def test_of_two_people_who_prepare_at_once_one_did(account):
    outcomes = run_together(
        lambda: prepare_sign_off(account, DAY, actor=MAKER),
        lambda: prepare_sign_off(account, DAY, actor=OTHER),
    )

    assert {type(each) for each in outcomes} == {SignOff, SignOffExists}
