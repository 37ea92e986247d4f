"""Who gets into the back office, who is kept out, and what is written down about it."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from config.people.roles import Role
from config.people.sessions import BEGAN_AT, BY_ITSELF, SEEN_AT
from config.people.staff import add_person, set_roles, unlock, welcome_link
from ledger.actors import Actor
from ledger.models import AuditEvent
from tests.support.api import Api
from tests.support.back_office import PASSWORD, SIGN_IN, older_by, person, sign_in

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quick_passwords")]

HOME = reverse("admin:index")
PAYMENTS = reverse("admin:payments_payment_changelist")
SYSTEM = Actor.system("tests")


@pytest.fixture
def quick_passwords(settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def ann() -> User:
    return person("ann@example.com", Role.VIEWER)


def actions(subject: str = "") -> list[str]:
    events = AuditEvent.objects.order_by("pk")
    return list(
        (events.filter(subject=subject) if subject else events).values_list("action", flat=True)
    )


def is_in(client: Client) -> bool:
    return client.get(PAYMENTS).status_code == 200


def test_right_password_lets_in_and_signing_out_ends_it(ann: User) -> None:
    client = sign_in("ann@example.com")
    assert is_in(client)

    client.post(reverse("admin:logout"))

    assert not is_in(client)
    assert actions(f"user:{ann.pk}") == ["sign_in.accepted", "sign_in.ended"]


def test_a_try_is_written_down_with_where_it_came_from(ann: User) -> None:
    Client(REMOTE_ADDR="192.0.2.7", HTTP_USER_AGENT="curl/8\r\n").post(
        SIGN_IN, {"username": "ann@example.com", "password": "guess"}
    )

    event = AuditEvent.objects.get()
    assert (event.action, event.subject) == ("sign_in.failed", f"user:{ann.pk}")
    assert (event.address, event.user_agent) == ("192.0.2.7", "curl/8")
    assert event.request_id.startswith("req_")


def test_a_password_typed_as_a_name_is_not_written_down() -> None:
    sign_in("my secret password")

    event = AuditEvent.objects.get()
    assert event.action == "sign_in.failed"
    assert "secret" not in str(vars(event))


def test_after_ten_wrong_passwords_the_right_one_is_refused(ann: User) -> None:
    for _ in range(10):
        sign_in("ann@example.com", "guess")

    assert not is_in(sign_in("ann@example.com"))
    assert actions(f"user:{ann.pk}") == ["sign_in.failed"] * 10 + ["sign_in.locked"]


def test_nine_wrong_passwords_and_a_right_one_are_forgotten(ann: User) -> None:
    for _ in range(2):
        for _ in range(9):
            sign_in("ann@example.com", "guess")
        assert is_in(sign_in("ann@example.com"))


def test_guesses_through_the_api_count_as_well(ann: User) -> None:
    for _ in range(10):
        Api(None).post("/auth/token", {"email": "ann@example.com", "password": "guess"})

    assert not is_in(sign_in("ann@example.com"))


def test_an_address_that_guesses_names_is_refused_for_all(ann: User, settings: Any) -> None:
    settings.LOCKOUT_TRIES_PER_ADDRESS = 3
    for name in "abc":
        sign_in(name, client=Client(REMOTE_ADDR="192.0.2.7"))

    there = sign_in("ann@example.com", client=Client(REMOTE_ADDR="192.0.2.7"))
    elsewhere = sign_in("ann@example.com", client=Client(REMOTE_ADDR="192.0.2.8"))

    assert (is_in(there), is_in(elsewhere)) == (False, True)


def test_old_failures_do_not_count(ann: User, settings: Any) -> None:
    for _ in range(10):
        sign_in("ann@example.com", "guess")
    settings.LOCKOUT_MINUTES = 0

    assert is_in(sign_in("ann@example.com"))


def test_a_security_admin_lets_in_again_with_a_reason(ann: User) -> None:
    for _ in range(10):
        sign_in("ann@example.com", "guess")
    unlock(ann, actor=SYSTEM, reason="She called.")

    assert is_in(sign_in("ann@example.com"))


def test_redis_is_not_asked(ann: User, settings: Any) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1"

    assert is_in(sign_in("ann@example.com"))
    assert not is_in(sign_in("ann@example.com", "guess"))


def test_whoever_was_away_for_long_signs_in_again(ann: User) -> None:
    client = sign_in("ann@example.com")
    client.get(HOME)
    older_by(client, 14 * 60, SEEN_AT)
    assert is_in(client)

    older_by(client, 15 * 60 + 1, SEEN_AT)

    assert not is_in(client)
    last = AuditEvent.objects.latest("pk")
    assert (last.action, last.after) == ("sign_in.ended", {"why": "15 minutes without activity"})


def test_a_page_that_asks_by_itself_keeps_nobody_signed_in(ann: User) -> None:
    client = sign_in("ann@example.com")
    client.get(HOME)
    older_by(client, 10 * 60, SEEN_AT)
    client.get(HOME, headers={BY_ITSELF: "yes"})
    older_by(client, 10 * 60, SEEN_AT)

    assert not is_in(client)


def test_after_a_working_day_everybody_signs_in_again(ann: User) -> None:
    client = sign_in("ann@example.com")
    client.get(HOME)
    older_by(client, 12 * 3600 + 1, BEGAN_AT)

    assert not is_in(client)


def test_somebody_new_sets_a_password_once_by_a_link(client: Client) -> None:
    new = add_person("New@Example.com", actor=SYSTEM, reason="Hired.")
    set_roles(new, [Role.SUPPORT], actor=SYSTEM, reason="Hired.")
    link = welcome_link(new, actor=SYSTEM, reason="Hired.")
    passwords = {"new_password1": PASSWORD, "new_password2": PASSWORD}

    page = client.get(link, follow=True)
    client.post(page.request["PATH_INFO"], passwords)

    assert is_in(sign_in("new@example.com"))
    assert "was used already" in Client().get(link, follow=True).content.decode()
    assert actions(f"user:{new.pk}")[:4] == [
        "person.added",
        "person.roles_set",
        "person.welcomed",
        "person.password_set",
    ]


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("elevenchars", "at least 12 characters"),
        ("q1w2e3r4t5y6", "too common"),
        ("123456789012345", "entirely numeric"),
    ],
)
def test_a_password_of_the_staff_is_long_and_not_common(
    ann: User, client: Client, password: str, why: str
) -> None:
    page = client.get(welcome_link(ann, actor=SYSTEM, reason="Forgot it."), follow=True)

    passwords = {"new_password1": password, "new_password2": password}
    refused = client.post(page.request["PATH_INFO"], passwords).content.decode()

    assert why in refused
    assert is_in(sign_in("ann@example.com"))


def test_a_person_changes_the_own_password_and_is_out_everywhere_else(ann: User) -> None:
    client, elsewhere = sign_in("ann@example.com"), sign_in("ann@example.com")
    new = "another long password"
    form = {"old_password": PASSWORD, "new_password1": new, "new_password2": new}

    answer = client.post(reverse("admin:password_change"), form)

    assert answer["Location"] == reverse("admin:password_change_done")
    assert (is_in(client), is_in(elsewhere)) == (True, False)
    assert is_in(sign_in("ann@example.com", new))
    event = AuditEvent.objects.get(action="person.password_changed")
    assert (event.subject, event.actor_label) == (f"user:{ann.pk}", "ann@example.com")


def test_guesses_at_the_old_password_count_as_at_the_door(ann: User) -> None:
    client = sign_in("ann@example.com")
    new = {"new_password1": "another long password", "new_password2": "another long password"}
    for number in range(10):
        client.post(reverse("admin:password_change"), {"old_password": f"guess {number}", **new})

    client.post(reverse("admin:password_change"), {"old_password": PASSWORD, **new})

    assert not is_in(sign_in("ann@example.com"))
    assert actions(f"user:{ann.pk}")[1:] == ["sign_in.failed"] * 10 + ["sign_in.locked"]
    ann.refresh_from_db()
    assert ann.check_password(PASSWORD)


def test_whoever_is_shut_out_is_out_at_once(ann: User) -> None:
    from config.people.staff import set_active

    client = sign_in("ann@example.com")
    set_active(ann, False, actor=SYSTEM, reason="Left.")

    assert not is_in(client)
    assert not is_in(sign_in("ann@example.com"))


def test_a_changed_timetable_is_written_down(admin_client: Client) -> None:
    task = PeriodicTask.objects.create(
        name="sweep",
        task="sweep",
        interval=IntervalSchedule.objects.create(every=5, period="seconds"),
    )
    url = reverse("admin:django_celery_beat_periodictask_change", args=[task.pk])
    fields = admin_client.get(url).context["adminform"].form.initial
    form = {name: value for name, value in fields.items() if value is not None}

    admin_client.post(url, {**form, "regtask": "", "enabled": ""})

    task.refresh_from_db()
    assert not task.enabled
    event = AuditEvent.objects.get(action="periodic_task.changed")
    assert event.subject == "periodic_task:sweep"
    assert (event.before["enabled"], event.after["enabled"]) == ("True", "False")
