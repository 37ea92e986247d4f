"""A match in the back office is taken apart by whoever works on discrepancies, with a reason."""

import pytest
from django.test import Client
from django.urls import reverse

from ledger.actors import Actor
from ledger.models import AuditEvent
from payments.models import Payment
from reconciliation.models import Discrepancy, Match, UndoneMatch
from reconciliation.services.runs import reconcile
from reconciliation.services.write_offs import propose_write_off
from tests.factories import SucceededPaymentFactory, eur
from tests.reconciliation.test_admin_discrepancies import person
from tests.support.reports import charge, define_sources, load, report

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books")]

MAY = ("view_match", "view_undonematch", "delete_match")


@pytest.fixture
def match() -> Match:
    payment = SucceededPaymentFactory(money=eur("100.00"), reference="order-7")
    load(define_sources()[0], report(charge(payment, "txn_1")))
    reconcile()
    return Match.objects.get()


@pytest.fixture
def clerk() -> Client:
    return person("clerk", *MAY)


def undo_url(match: Match) -> str:
    return reverse("admin:reconciliation_match_undo", args=[match.pk])


def test_match_is_undone_with_a_reason(match: Match, clerk: Client) -> None:
    done = clerk.post(undo_url(match), {"reason": "It is another customer's."}, follow=True)

    undone = UndoneMatch.objects.get()
    assert done.redirect_chain[0][0].endswith(f"/undonematch/{undone.pk}/change/")
    assert (undone.reason, undone.undone_by) == ("It is another customer's.", "user:clerk")
    assert f"The match of {Payment.objects.get()} is undone." in done.content.decode()
    assert not Match.objects.exists()
    assert Discrepancy.objects.filter(type="orphan_line", status="OPEN").count() == 1


def test_nothing_is_undone_without_a_reason_or_the_right_to(match: Match, clerk: Client) -> None:
    page = clerk.post(undo_url(match), {"reason": ""}).content.decode()
    assert "no rule makes it a second time" in page
    assert "This field is required." in page
    looker = person("looker", "view_match")
    assert looker.post(undo_url(match), {"reason": "No."}).status_code == 403

    assert Match.objects.get() == match
    assert not AuditEvent.objects.filter(action="match.undone").exists()


def test_what_stands_in_the_way_is_said_and_the_match_stays(clerk: Client) -> None:
    payment = SucceededPaymentFactory(money=eur("100.00"))
    line = charge(payment, "txn_1", gross="90.00", customer_facing_amount="90.00")
    load(define_sources()[0], report(line))
    reconcile()
    discrepancy = Discrepancy.objects.get(type="amount_mismatch")
    asked = {"kind": "write_off", "reason_code": "other", "reason": "Lost."}
    propose_write_off(discrepancy, actor=Actor.system("clerk"), **asked)

    page = clerk.post(undo_url(Match.objects.get()), {"reason": "It is another customer's."})

    assert "WRITE_OFF_REQUESTED" in page.content.decode()
    assert (Match.objects.count(), UndoneMatch.objects.count()) == (1, 0)
