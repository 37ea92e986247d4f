"""One's own password: changed by who knows it, set anew by the link of an e-mail."""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from config.people.staff import welcome_link
from config.portal.resets import LinkOver, reset_password, tokens
from ledger.actors import Actor
from ledger.models import AuditEvent
from payments.models import Merchant
from payments.rate_limits import policy_of
from payments.services.logins import log_in, member_of, refresh_tokens
from payments.services.members import remove_member
from tests.factories import MerchantFactory
from tests.support.back_office import person
from tests.support.portal import (
    HOME,
    PASSWORD,
    SIGN_IN,
    Role,
    letters,
    member,
    sign_in,
    text_of,
    visit,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_redis", "quick_passwords")]

CHANGE = reverse("portal:password")
FORGOTTEN = reverse("portal:forgotten_password")
ANOTHER = "another long password"
NEW = {"new_password1": ANOTHER, "new_password2": ANOTHER}
ANN = "ann@example.com"
SYSTEM = Actor.system("tests")


@pytest.fixture
def quick_passwords(settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(autouse=True)
def no_letter_is_left_to_the_next_test() -> Iterator[None]:
    yield
    letters()


@pytest.fixture
def shop() -> Merchant:
    return MerchantFactory(code="shop", name="Shop")


def works(password: str, email: str = ANN) -> bool:
    return bool(sign_in(email, password)[1].status_code == 302)


def ask(email: str = ANN) -> Any:
    return Client().post(FORGOTTEN, {"email": email})


def link_in(letter: Any) -> str:
    (link,) = re.findall(r"^http://testserver(/portal/password/\S+)$", letter.body, re.MULTILINE)
    return str(link)


def use(link: str, browser: Client | None = None, **sent: str) -> Any:
    """The answer to setting a password on the page the link leads to."""
    browser = browser or Client()
    return browser.post(browser.get(link)["Location"], NEW | sent)


def test_changed_password_counts_at_once_and_the_old_one_does_not(shop: Merchant) -> None:
    client = visit(shop, Role.VIEWER)

    answer = client.post(CHANGE, {"old_password": PASSWORD, **NEW})

    assert answer["Location"] == HOME
    assert "Your password is changed" in text_of(client.get(HOME))
    assert (works(PASSWORD), works(ANOTHER)) == (False, True)
    event = AuditEvent.objects.get(action="person.password_changed")
    assert event.actor_label == ANN
    (letter,) = letters()
    assert (letter.to, letter.subject) == ([ANN], "Your password was changed")
    for secret in (PASSWORD, ANOTHER):
        assert secret not in str(list(AuditEvent.objects.values())) + letter.body


def test_changed_password_ends_other_sessions_and_tokens_but_not_this_one(shop: Merchant) -> None:
    here, there = visit(shop), Client()
    there.force_login(shop.members.get().user)
    pair = log_in(ANN, PASSWORD)
    assert pair
    assert member_of(pair.access)
    before = here.cookies["sessionid"].value

    here.post(CHANGE, {"old_password": PASSWORD, **NEW})

    assert here.get(HOME).status_code == 200
    assert here.cookies["sessionid"].value != before
    assert there.get(HOME).status_code == 302
    assert member_of(pair.access) is None
    assert refresh_tokens(pair.refresh) is None


@pytest.mark.parametrize(
    "change",
    [
        {"old_password": "guess"},
        {"old_password": ""},
        {"new_password2": "something else"},
        {"new_password1": "short", "new_password2": "short"},
        {"new_password1": ANN, "new_password2": ANN},
        {"new_password1": "a1" * 65, "new_password2": "a1" * 65},
    ],
)
def test_password_is_not_changed_by_guessing_or_to_a_weak_one(
    shop: Merchant, change: dict[str, str]
) -> None:
    client = visit(shop)

    answer = client.post(CHANGE, {"old_password": PASSWORD, **NEW, **change})

    assert 'class="errorlist' in answer.content.decode()
    assert works(PASSWORD)
    assert letters() == []


def test_guesses_of_the_old_password_are_counted_as_at_the_door(shop: Merchant) -> None:
    client = visit(shop)
    for _ in range(10):
        client.post(CHANGE, {"old_password": "guess", **NEW})

    assert "tried too often" in text_of(client.post(CHANGE, {"old_password": PASSWORD, **NEW}))
    assert not works(PASSWORD)


def test_who_works_in_the_back_office_changes_the_password_there(shop: Merchant) -> None:
    client = visit(shop)
    User.objects.update(is_staff=True)

    assert client.get(CHANGE).status_code == 403
    assert client.post(CHANGE, {"old_password": PASSWORD, **NEW}).status_code == 403
    assert works(PASSWORD)


def test_forgotten_password_is_set_on_the_page_a_letter_leads_to(shop: Merchant) -> None:
    there = visit(shop, Role.DEVELOPER)
    pair = log_in(ANN, PASSWORD)
    assert FORGOTTEN in text_of(Client().get(SIGN_IN))

    asked = ask("Ann@Example.com")
    (letter,) = letters()
    done = use(link_in(letter))

    assert asked.status_code == 200
    assert letter.to == [ANN]
    assert done["Location"] == SIGN_IN
    assert (works(PASSWORD), works(ANOTHER)) == (False, True)
    assert there.get(HOME).status_code == 302
    assert pair
    assert member_of(pair.access) is None
    assert [each.subject for each in letters()][1:] == ["Your password was changed"]
    actions = AuditEvent.objects.filter(action__startswith="person.").order_by("pk")
    assert [event.action for event in actions] == ["person.reset_asked", "person.password_reset"]


def test_setting_a_password_by_a_letter_signs_nobody_in(shop: Merchant) -> None:
    member(shop)
    ask()
    browser = Client()

    use(link_in(letters()[0]), browser)

    assert "Your password is set" in text_of(browser.get(SIGN_IN))
    assert browser.get(HOME).status_code == 302


def test_answer_is_the_same_for_an_address_that_nobody_has(shop: Merchant) -> None:
    member(shop)
    person("maker@example.com")

    answers = [text_of(ask(email)) for email in (ANN, "nobody@example.com", "maker@example.com")]

    assert len(set(answers)) == 1
    assert [letter.to for letter in letters()] == [[ANN]]
    assert AuditEvent.objects.filter(action="person.reset_asked").count() == 3
    assert "nobody@example.com" not in str(list(AuditEvent.objects.values()))


def test_letters_go_to_active_members_who_do_not_work_in_the_back_office(shop: Merchant) -> None:
    member(shop, email="staff@example.com")
    member(shop, email="gone@example.com")
    member(shop, email="shut@example.com")
    User.objects.filter(username="staff@example.com").update(is_staff=True)
    User.objects.filter(username="shut@example.com").update(is_active=False)
    member(shop)
    remove_member(shop.members.get(user__username="gone@example.com"), actor=SYSTEM)

    for who in ("staff", "gone", "shut"):
        ask(f"{who}@example.com")

    assert letters() == []


def test_link_counts_once(shop: Merchant) -> None:
    member(shop)
    ask()
    link = link_in(letters()[0])
    use(link)

    again = Client().get(link)

    assert again.status_code == 409
    assert "This link is over" in text_of(again)


def test_two_pages_of_one_link_set_one_password(shop: Merchant) -> None:
    member(shop)
    ask()
    link, (first, second) = link_in(letters()[0]), (Client(), Client())
    page = first.get(link)["Location"]
    second.get(link)
    first.post(page, NEW)

    late = second.post(
        page, {"new_password1": "the thief's one", "new_password2": "the thief's one"}
    )

    assert late.status_code == 409
    assert works(ANOTHER)


def test_link_that_was_used_a_moment_ago_sets_nothing(shop: Merchant) -> None:
    ann = member(shop)
    token = tokens.make_token(ann)
    reset_password(ann, token, ANOTHER)

    with pytest.raises(LinkOver):
        reset_password(ann, token, "the thief's one")

    assert works(ANOTHER)


@pytest.mark.parametrize(("minutes", "status"), [(59, 302), (61, 409)])
def test_link_is_over_after_an_hour(
    shop: Merchant, monkeypatch: pytest.MonkeyPatch, minutes: int, status: int
) -> None:
    member(shop)
    ask()
    later = datetime.now() + timedelta(minutes=minutes)
    monkeypatch.setattr(tokens, "_now", lambda: later)

    assert Client().get(link_in(letters()[0])).status_code == status


@pytest.mark.parametrize("meanwhile", ["signs in", "is removed", "is shut out", "is made staff"])
def test_link_is_over_when_the_person_is_not_as_before(shop: Merchant, meanwhile: str) -> None:
    member(shop, email="bob@example.com")
    ann = member(shop)
    ask()
    match meanwhile:
        case "signs in":
            assert works(PASSWORD)
        case "is removed":
            remove_member(ann.memberships.get(), actor=SYSTEM)
        case "is shut out":
            User.objects.filter(pk=ann.pk).update(is_active=False)
        case _:
            User.objects.filter(pk=ann.pk).update(is_staff=True)

    assert Client().get(link_in(letters()[0])).status_code == 409


def test_link_of_one_person_sets_the_password_of_nobody_else(shop: Merchant) -> None:
    member(shop, email="bob@example.com")
    member(shop)
    ask()
    ask("bob@example.com")
    mine, theirs = (link_in(letter) for letter in sorted(letters(), key=lambda each: each.to))
    browser = Client()
    browser.get(mine)

    for page in (
        theirs.rsplit("/", 2)[0] + "/set-password/",
        theirs.rsplit("/", 2)[0] + "/" + mine.rsplit("/", 2)[1] + "/",
        reverse("portal:reset_password", args=["x", "set-password"]),
        reverse("portal:reset_password", args=["OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5", "a-b"]),
    ):
        assert browser.get(page).status_code == 409
        assert browser.post(page, NEW).status_code == 409
    assert works(PASSWORD, "bob@example.com")


def test_links_of_the_back_office_and_of_the_portal_do_not_open_each_other(shop: Merchant) -> None:
    ann = member(shop)
    ask()
    ours = link_in(letters()[0])
    welcome = welcome_link(ann, actor=SYSTEM, reason="new here")

    to_portal = welcome.replace("/admin/password/", "/portal/password/")
    to_office = ours.replace("/portal/password/", "/admin/password/")

    assert to_portal.startswith("/portal/")
    assert Client().get(to_portal).status_code == 409
    assert Client().get(to_office).status_code == 200  # where it says the link is over
    assert Client().get(welcome).status_code == 302


def test_token_of_the_link_leaves_the_address_before_the_page_is_shown(shop: Merchant) -> None:
    member(shop)
    ask()
    link = link_in(letters()[0])
    browser = Client()

    page = browser.get(link)["Location"]

    token = link.rsplit("/", 2)[1]
    assert token not in page
    assert token not in browser.get(page).content.decode()


def test_three_letters_an_hour_are_enough_for_one_mailbox(shop: Merchant) -> None:
    member(shop)
    answers = {text_of(ask()) for _ in range(5)}

    assert len(answers) == 1
    assert len(letters()) == 3


def test_who_was_locked_out_by_somebody_guessing_is_in_with_the_new_password(
    shop: Merchant,
) -> None:
    member(shop)
    for _ in range(10):
        sign_in(password="guess")
    assert not works(PASSWORD)
    ask()

    use(link_in(letters()[0]))

    assert works(ANOTHER)


def test_weak_password_is_refused_and_the_link_still_counts(shop: Merchant) -> None:
    member(shop)
    ask()
    link, browser = link_in(letters()[0]), Client()

    weak = use(link, browser, new_password1="12345678", new_password2="12345678")

    assert 'class="errorlist' in weak.content.decode()
    assert use(link, browser).status_code == 302


@pytest.mark.parametrize("page", ["forgotten", "change", "link"])
def test_tries_from_one_address_are_limited_like_logins(
    shop: Merchant, settings: Any, page: str
) -> None:
    client = visit(shop)
    ask()
    link = client.get(link_in(letters()[0]))["Location"]
    settings.RATE_LIMITS = settings.RATE_LIMITS | {"login": "2/60"}
    policy_of.cache_clear()
    where = {"forgotten": FORGOTTEN, "change": CHANGE, "link": link}[page]
    try:
        answers = [client.post(where, {"email": "nobody@example.com"}) for _ in range(5)]
    finally:
        policy_of.cache_clear()

    refused = [answer for answer in answers if answer.status_code == 429]
    assert refused
    assert all(int(answer["Retry-After"]) > 0 for answer in refused)


def test_without_e_mail_no_link_is_offered(shop: Merchant, settings: Any) -> None:
    settings.SENDS_EMAIL = False
    client = visit(shop)

    assert FORGOTTEN not in text_of(Client().get(SIGN_IN))
    assert (Client().get(FORGOTTEN).status_code, ask().status_code) == (409, 409)
    assert client.post(CHANGE, {"old_password": PASSWORD, **NEW}).status_code == 302
    assert letters() == []


def test_letter_that_nobody_takes_is_logged_and_changes_no_answer(
    shop: Merchant, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    member(shop)
    unknown = text_of(ask("nobody@example.com"))
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1  # nobody listens there

    known = text_of(ask())

    assert letters() == []
    assert known == unknown
    assert "portal.letter_lost" in caplog.text


def test_in_a_bare_checkout_the_letter_is_printed(
    shop: Merchant, settings: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    member(shop)
    settings.EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"

    ask()

    letters()
    printed = capsys.readouterr().out
    assert "To: ann@example.com" in printed
    assert "http://testserver/portal/password/" in printed


def test_forms_with_passwords_refuse_what_has_not_our_token(shop: Merchant) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(member(shop))

    assert strict.post(CHANGE, {"old_password": PASSWORD, **NEW}).status_code == 403
    assert strict.post(FORGOTTEN, {"email": ANN}).status_code == 403
    assert letters() == []
