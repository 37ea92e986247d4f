"""The audit trail knows who, why and in which request; and says clearly what it refuses."""

import pytest
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.test import RequestFactory

from config.middleware import RequestIdMiddleware
from ledger.actors import Actor, request_id
from ledger.models import AuditEvent, JournalEntry
from ledger.services import audit
from ledger.services.audit import ReasonTooLong
from ledger.services.posting import post_entry
from ledger.services.reversals import reverse_entry
from tests.support.entries import balance, deposit, wallet

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books")]

ACTOR = Actor("user", "7", "maker@example.com")


def test_a_reason_may_be_500_characters_long() -> None:
    event = audit.record("thing.done", "thing_1", actor=ACTOR, reason=" " + "ä" * 500 + " ")

    assert event.reason == "ä" * 500


def test_a_longer_reason_is_refused_and_nothing_was_done() -> None:
    entry_id = post_entry(deposit("d1", wallet("a"), 10)).public_id

    with pytest.raises(ReasonTooLong, match="at most 500 characters; this one has 501"):
        reverse_entry(entry_id, reason="x" * 501, actor=ACTOR)

    assert balance(wallet("a")) == 10
    assert JournalEntry.objects.count() == 1
    assert not AuditEvent.objects.exists()


def test_what_is_done_in_a_request_has_its_id() -> None:
    def answer(request):
        audit.record("thing.done", "thing_1", actor=ACTOR)
        return HttpResponse()

    response = RequestIdMiddleware(answer)(RequestFactory().get("/"))
    audit.record("thing.done", "thing_2", actor=ACTOR)

    inside, outside = AuditEvent.objects.order_by("pk")
    assert inside.request_id == response["Request-Id"]
    assert inside.request_id.startswith("req_")
    assert outside.request_id == ""


def test_a_request_that_fails_leaves_no_id_behind() -> None:
    def fail(request):
        raise RuntimeError(request_id.get())

    with pytest.raises(RuntimeError, match="req_"):
        RequestIdMiddleware(fail)(RequestFactory().get("/"))

    assert request_id.get() == ""


def test_the_longest_user_name_fits() -> None:
    user = User.objects.create(username="n" * 150)

    event = audit.record("thing.done", "thing_1", actor=Actor.user(user))

    assert event.actor_label == "n" * 100
    assert event.actor_id == str(user.pk)
    assert len(str(Actor.user(user))) <= 120
