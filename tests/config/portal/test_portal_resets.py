"""A forgotten password is set by the link of a letter: once, soon, by its person alone."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from config.people.staff import welcome_link
from config.portal.resets import LinkOver, reset_password, tokens
from ledger.models import AuditEvent
from payments.models import Merchant
from payments.services.logins import log_in, member_of
from payments.services.members import remove_member
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
from tests.support.portal_passwords import ANN, ANOTHER, FORGOTTEN, NEW, SYSTEM, ask, link_in, works

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("clean_redis", "quick_passwords", "no_letter_is_left"),
]


def use(link: str, browser: Client | None = None, **sent: str) -> Any:
    """The answer to setting a password on the page the link leads to."""
    browser = browser or Client()
    return browser.post(browser.get(link)["Location"], NEW | sent)


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
