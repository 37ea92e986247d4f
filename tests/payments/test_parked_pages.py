"""Parked work in the back office and by command: seen, tried again, given up by two people."""

import json
from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission, User
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from ledger.models import AuditEvent
from payments.models import ParkedWork, Payment
from payments.services.parking import park
from payments.services.processing import process_payments
from tests.factories import PaymentFactory, SucceededPaymentFactory

pytestmark = pytest.mark.django_db

MAY_SEE, MAY_RETRY, MAY_DISCARD = (
    "view_parkedwork",
    "change_parkedwork",
    "delete_parkedwork",
)
MAY_ASK = "ask_to_discard_parkedwork"


def person(name: str, *permissions: str) -> User:
    user = User.objects.create(username=name, is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    return user


def logged_in(name: str, *permissions: str) -> Client:
    client = Client()
    client.force_login(person(name, MAY_SEE, *permissions))
    return client


def url_of(parked: ParkedWork, step: str = "change") -> str:
    return reverse(f"admin:payments_parkedwork_{step}", args=[parked.pk])


def listed(client: Client, **query: str) -> str:
    return client.get(reverse("admin:payments_parkedwork_changelist"), query).content.decode()


@pytest.fixture
def parked() -> ParkedWork:
    """A payment that was never asked for, parked long enough ago."""
    payment = PaymentFactory()
    park(payment, "ValueError: it does not work")
    ParkedWork.objects.update(parked_at=timezone.now() - timedelta(hours=1))
    return ParkedWork.objects.get()


# --- In the back office ------------------------------------------------------------------------


def test_list_says_what_is_parked_and_why(parked: ParkedWork) -> None:
    client = logged_in("operator")

    page = listed(client, state="waiting", queue="payments_payment")

    assert parked.subject in page
    assert "ValueError: it does not work" in page
    for others in ({"state": "retried"}, {"state": "discard_asked"}, {"q": "KeyError"}):
        assert parked.subject not in listed(client, **others)
    payment = reverse("admin:payments_payment_change", args=[parked.row_id])
    assert payment in client.get(url_of(parked)).content.decode()


def test_operator_retries_with_a_reason(parked: ParkedWork) -> None:
    client = logged_in("operator", MAY_RETRY)

    refused = client.post(url_of(parked, "retry"), {"reason": ""})
    done = client.post(url_of(parked, "retry"), {"reason": "Fixed."})

    assert (refused.status_code, done.status_code) == (200, 302)
    assert process_payments() == 1
    assert Payment.objects.get().status == "SUCCEEDED"
    event = AuditEvent.objects.get()
    assert (event.action, event.actor_label, event.reason) == ("work.retried", "operator", "Fixed.")
    assert event.request_id.startswith("req_")
    page = client.get(url_of(parked)).content.decode()
    assert url_of(parked, "retry") not in page
    assert parked.subject in listed(client, state="retried")


def test_one_asks_and_another_discards(parked: ParkedWork) -> None:
    maker = logged_in("maker", MAY_ASK, MAY_DISCARD)
    checker = logged_in("checker", MAY_DISCARD)
    assert url_of(parked, "discard") not in checker.get(url_of(parked)).content.decode()

    maker.post(url_of(parked, "ask_to_discard"), {"reason": "Nobody needs it."})
    alone = maker.post(url_of(parked, "discard"), {"reason": "Really."}).content.decode()
    assert "by somebody else than who asked for it" in alone
    assert Payment.objects.get().status == "PENDING"
    shown = checker.get(url_of(parked, "discard")).content.decode()
    assert "user:maker asked for it" in shown
    assert "Nobody needs it." in shown
    checker.post(url_of(parked, "discard"), {"reason": "Agreed."})

    assert (Payment.objects.get().status, Payment.objects.get().failure_code) == (
        *("FAILED", "given_up"),
    )
    assert list(AuditEvent.objects.order_by("id").values_list("action", "actor_label")) == [
        ("work.discard_requested", "maker"),
        ("work.discarded", "checker"),
    ]


@pytest.mark.parametrize(
    ("step", "permission"),
    [("retry", MAY_ASK), ("ask_to_discard", MAY_RETRY), ("discard", MAY_ASK)],
)
def test_each_step_takes_its_permission(parked: ParkedWork, step: str, permission: str) -> None:
    client = logged_in("operator", permission)

    answer = client.post(url_of(parked, step), {"reason": "I want to."})

    assert answer.status_code in (302, 403)
    parked.refresh_from_db()
    assert (parked.resolution, parked.discard_asked_by) == ("", "")
    assert not AuditEvent.objects.exists()


def test_page_of_nothing_is_not_found() -> None:
    client = logged_in("operator", MAY_RETRY)

    assert client.get(reverse("admin:payments_parkedwork_retry", args=["0"])).status_code == 404


# --- By command --------------------------------------------------------------------------------


def run(capsys: pytest.CaptureFixture[str], *words: object) -> dict[str, object]:
    call_command("parked", *(str(word) for word in words), "--json")
    return json.loads(capsys.readouterr().out)


def test_command_lists_what_waits(parked: ParkedWork, capsys: pytest.CaptureFixture[str]) -> None:
    SucceededPaymentFactory()

    assert run(capsys) == run(capsys, "list")
    (row,) = run(capsys)["parked"]  # type: ignore[misc]
    assert row["id"] == parked.pk
    assert (row["queue"], row["subject"]) == ("payments_payment", parked.subject)
    assert (row["problem"], row["resolution"]) == ("ValueError: it does not work", "")

    call_command("parked")
    assert parked.subject in capsys.readouterr().out


def test_command_says_when_nothing_waits(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("parked")

    assert capsys.readouterr().out == "Nothing is parked.\n"


def test_command_retries(parked: ParkedWork, capsys: pytest.CaptureFixture[str]) -> None:
    person("operator", MAY_RETRY)

    done = run(capsys, "retry", parked.pk, "--actor", "operator", "--reason", "Fixed.")

    assert (done["resolution"], done["resolved_by"]) == ("RETRIED", "user:operator")
    assert process_payments() == 1
    assert AuditEvent.objects.get().reason == "Fixed."


def test_command_takes_two_people_to_discard(
    parked: ParkedWork, capsys: pytest.CaptureFixture[str]
) -> None:
    person("maker", MAY_ASK, MAY_DISCARD)
    person("checker", MAY_DISCARD)

    run(capsys, "ask-to-discard", parked.pk, "--actor", "maker", "--reason", "Nobody needs it.")
    with pytest.raises(CommandError, match="approver_is_requester"):
        run(capsys, "discard", parked.pk, "--actor", "maker")
    done = run(capsys, "discard", parked.pk, "--actor", "checker")

    assert (done["resolution"], done["resolved_by"]) == ("DISCARDED", "user:checker")
    assert Payment.objects.get().failure_code == "given_up"


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("retry",), "Which one?"),
        (("retry", "0", "--actor", "operator", "--reason", "r"), "Which one?"),
        (("retry", "ID", "--reason", "r"), "Who does it?"),
        (("retry", "ID", "--actor", "nobody", "--reason", "r"), "Who does it?"),
        (("retry", "ID", "--actor", "left", "--reason", "r"), "Who does it?"),
        (("retry", "ID", "--actor", "operator"), "reason_missing"),
        (("discard", "ID", "--actor", "operator"), "may not do this"),
    ],
)
def test_command_refuses_what_is_not_said(
    parked: ParkedWork, words: tuple[str, ...], complaint: str
) -> None:
    person("operator", MAY_RETRY)
    User.objects.create(username="left", is_active=False)

    with pytest.raises(CommandError, match=complaint):
        call_command("parked", *(str(parked.pk) if word == "ID" else word for word in words))

    parked.refresh_from_db()
    assert parked.resolution == ""
