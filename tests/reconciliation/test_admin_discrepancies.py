"""The back office: discrepancies are worked by one person, their entries approved by another."""

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from reconciliation.models import Discrepancy, WriteOff
from reconciliation.services.runs import reconcile
from tests.factories import GatewayFactory, eur
from tests.support.reports import DAY, IBAN, bank_of, define_sources, load

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books")]

LIST = reverse("admin:reconciliation_discrepancy_changelist")
WORK = (
    *("view_discrepancy", "assign_discrepancy", "change_discrepancy", "add_discrepancynote"),
    *("resolve_discrepancy", "reopen_discrepancy", "add_match"),
)
PROPOSE = (*WORK, "add_writeoff", "view_writeoff", "withdraw_writeoff")
DECIDE = (
    *("view_writeoff", "approve_writeoff", "refuse_writeoff", "reverse_writeoff"),
    "view_discrepancy",
)
WHY = {"reason_code": "other", "reason": "Nobody knows."}


@pytest.fixture
def found() -> list[Discrepancy]:
    """Two bank lines that nobody explains, of -1.00 and -2.00."""
    GatewayFactory()
    bank = bank_of()
    for amount in ("-1.00", "-2.00"):
        bank.book(eur(amount), counterparty="Office Rent GmbH", text="RENT")
    load(define_sources()[1], bank.statement())
    reconcile(as_of=DAY)
    return list(Discrepancy.objects.order_by("-amount"))


def person(name: str, *permissions: str) -> Client:
    user = User.objects.create_user(name, is_staff=True)
    user.user_permissions.set(
        Permission.objects.filter(
            codename__in=permissions, content_type__app_label="reconciliation"
        )
    )
    client = Client()
    client.force_login(user)
    return client


def step(record: Discrepancy | WriteOff, name: str) -> str:
    model = type(record).__name__.lower()
    return reverse(f"admin:reconciliation_{model}_{name}", args=[record.pk])


def page(client: Client, record: Discrepancy | WriteOff) -> str:
    return client.get(step(record, "change")).content.decode()


def test_one_discrepancy_is_worked_to_its_end(found: list[Discrepancy]) -> None:
    clerk, (discrepancy, _) = person("clerk", *WORK), found

    for action, fields in (
        ("assign_to_me", {}),
        ("investigate", {}),
        ("leave_note", {"text": "The landlord says it is his."}),
        ("resolve", WHY),
    ):
        assert clerk.post(step(discrepancy, action), fields).status_code == 302

    discrepancy.refresh_from_db()
    assert (discrepancy.status, discrepancy.owner.get_username()) == ("RESOLVED", "clerk")
    shown = page(clerk, discrepancy)
    assert "The landlord says it is his." in shown
    assert f"1.00 EUR on bank:{IBAN}:EUR" in shown
    refused = clerk.post(step(discrepancy, "resolve"), WHY).content.decode()
    assert "cannot become RESOLVED" in refused
    clerk.post(step(discrepancy, "reopen"), {"reason": "It is not."})
    discrepancy.refresh_from_db()
    assert discrepancy.status == "OPEN"


def test_several_are_assigned_and_resolved_at_once(found: list[Discrepancy]) -> None:
    clerk = person("clerk", *WORK)
    selected = {"_selected_action": [each.pk for each in found]}

    clerk.post(LIST, {"action": "assign_selected_to_me", **selected})
    asked = clerk.post(LIST, {"action": "resolve_selected", **selected})
    form = clerk.get(asked["Location"]).content.decode()
    ended = clerk.post(asked["Location"], WHY, follow=True).content.decode()

    assert "Resolve 2 discrepancies" in form
    assert "2 resolved." in ended
    assert [(each.status, each.owner.get_username()) for each in Discrepancy.objects.all()] == [
        ("RESOLVED", "clerk")
    ] * 2
    again = clerk.post(asked["Location"], WHY, follow=True).content.decode()
    assert again.count("cannot become RESOLVED") == 2


def test_entry_is_shown_and_approved_by_a_second_person(found: list[Discrepancy]) -> None:
    maker = person("maker", *PROPOSE, *DECIDE)
    checker = person("checker", *DECIDE)
    entry = f"1.00 EUR: debit suspense:EUR, credit bank:{IBAN}:EUR, effective 2026-03-19"

    asked = maker.post(step(found[0], "propose_write_off"), {"kind": "booking", **WHY})
    assert asked.status_code == 302
    write_off = WriteOff.objects.get()
    own = maker.post(step(write_off, "approve"), {"reason": "mine"}).content.decode()
    shown = checker.get(step(write_off, "approve")).content.decode()
    checker.post(step(write_off, "approve"), {"reason": "as the landlord says"})

    assert "must be approved by somebody else" in own
    assert entry in shown
    assert entry in page(checker, write_off)
    write_off.refresh_from_db()
    assert (write_off.status, write_off.decided_by) == ("POSTED", "user:checker")
    checker.post(step(write_off, "reverse"), {"reason": "It was ours."})
    write_off.refresh_from_db()
    assert write_off.status == "REVERSED"


@pytest.mark.parametrize(("action", "status"), [("refuse", "REFUSED"), ("withdraw", "WITHDRAWN")])
def test_what_was_asked_for_is_dropped(found: list[Discrepancy], action: str, status: str) -> None:
    maker = person("maker", *PROPOSE, *DECIDE)
    maker.post(step(found[0], "propose_write_off"), {"kind": "write_off", **WHY})
    write_off = WriteOff.objects.get()

    maker.post(step(write_off, action), {"reason": "no"})

    write_off.refresh_from_db()
    assert write_off.status == status


def test_nobody_does_what_he_may_not(found: list[Discrepancy]) -> None:
    person("maker", *PROPOSE).post(
        step(found[0], "propose_write_off"), {"kind": "write_off", **WHY}
    )
    write_off = WriteOff.objects.get()
    reader = person("reader", "view_discrepancy", "view_writeoff")

    refused = [
        reader.post(step(found[1], action), WHY).status_code
        for action in ("assign_to_me", "investigate", "leave_note", "resolve", "propose_write_off")
    ]
    many = reverse("admin:reconciliation_discrepancy_many", args=["resolve"])
    refused += [
        reader.post(step(write_off, action), {"reason": "no"}).status_code
        for action in ("approve", "refuse", "withdraw", "reverse")
    ]

    assert set(refused) == {403}
    assert reader.post(f"{many}?ids={found[1].pk}", WHY).status_code == 404
    assert [each.status for each in Discrepancy.objects.order_by("-amount")] == [
        *("WRITE_OFF_REQUESTED", "OPEN")
    ]
