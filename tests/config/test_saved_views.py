"""Views of lists that people keep: found by those they are for, changed by their owners alone."""

from urllib.parse import urlencode

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from config.people.roles import Role
from ledger.models import SavedView
from ledger.services import saved_views
from ledger.services.saved_views import TooManyViews, ViewNotFound, change_view, save_view
from tests.support.back_office import browser_of, person

pytestmark = pytest.mark.django_db

LIST = reverse("admin:reconciliation_discrepancy_changelist")
KEEP = reverse("admin:ledger_savedview_keep")
MINE = reverse("admin:ledger_savedview_changelist")
OURS = "reconciliation.discrepancy"
OLD = "age=over-90&o=-3&q=rent&work=open"


@pytest.fixture
def maker() -> User:
    return person("maker@example.com", Role.MAKER)


@pytest.fixture
def viewer() -> User:
    return person("viewer@example.com", Role.VIEWER)


def keep(client: Client, query: str, name: str, of: str = OURS, **fields: str) -> str:
    """What the page says, wherever it leads."""
    url = f"{KEEP}?{urlencode({'list': of, 'query': query})}"
    return client.post(url, {"name": name, **fields}, follow=True).content.decode()


def beside(client: Client, url: str = LIST) -> dict[str, bool]:
    """Name of each kept view beside the list, and whether it is the one that is looked at."""
    page = client.get(url)
    assert page.status_code == 200
    tag = page.context["views"]
    return {view.name: view.query == tag.query for view in (*tag.own, *tag.shared)}


def kept(owner: User, name: str = "Old rents", *, is_shared: bool = False) -> SavedView:
    return save_view(owner, list_of=OURS, name=name, query=OLD, is_shared=is_shared)


def step(view: SavedView, name: str) -> str:
    return reverse(f"admin:ledger_savedview_{name}", args=[view.pk])


def test_what_is_looked_at_is_kept_under_a_name_and_found_beside_the_list(maker: User) -> None:
    browser = browser_of(maker)
    looked_at = f"{LIST}?work=open&q=rent&o=-3&age=over-90&p=1"

    link = browser.get(looked_at).context["views"].keep_url
    form = browser.get(link).content.decode()
    saved = browser.post(link, {"name": "Old rents"})

    view = SavedView.objects.get()
    assert "age over-90, o -3, q rent, work open" in form
    assert (view.owner, view.list_of, view.query, view.is_shared) == (maker, OURS, OLD, False)
    assert saved["Location"] == f"{LIST}?{OLD}"
    assert beside(browser, looked_at) == {"Old rents": True}
    assert beside(browser, f"{LIST}?work=open") == {"Old rents": False}
    assert f'href="{LIST}?{OLD.replace("&", "&amp;")}"' in browser.get(LIST).content.decode()


def test_view_shows_what_its_filters_do(maker: User) -> None:
    browser = browser_of(maker)
    keep(browser, "work=mine&least=1000", "Mine, large")

    found = browser.get(f"{LIST}?{SavedView.objects.get().query}").context["cl"]

    assert {spec.title: spec.value() for spec in found.filter_specs if spec.used_parameters} == {
        "work": "mine",
        "at stake, at least": "1000",
    }


def test_own_views_are_nobody_elses_and_shared_ones_are_read_by_all(
    maker: User, viewer: User
) -> None:
    kept(maker, "Private")
    shared = kept(maker, "Shared", is_shared=True)
    other = browser_of(viewer)

    assert beside(other) == {"Shared": False}
    assert "by maker@example.com" in other.get(LIST).content.decode()
    assert [view.name for view in other.get(MINE).context["cl"].result_list] == ["Shared"]
    page = other.get(step(shared, "change"))
    assert page.status_code == 200
    assert page.context["actions_detail"] == []
    for name in ("rename", "remove"):
        assert other.post(step(shared, name), {"name": "Taken"}).status_code == 404
    with pytest.raises(ViewNotFound):
        change_view(shared, name="Taken", is_shared=True, by=viewer)
    with pytest.raises(ViewNotFound):
        saved_views.remove_view(shared, by=viewer)
    assert set(SavedView.objects.values_list("name", flat=True)) == {"Private", "Shared"}


def test_shared_view_of_a_list_that_somebody_may_not_see_is_not_told(maker: User) -> None:
    kept(maker, "Shared", is_shared=True)
    browser = browser_of(person("security@example.com", Role.SECURITY))

    assert list(browser.get(MINE).context["cl"].result_list) == []
    assert keep(browser, "work=open", "Mine").count("403") >= 1
    assert SavedView.objects.count() == 1


def test_owner_renames_shares_and_removes(maker: User, viewer: User) -> None:
    view, browser = kept(maker), browser_of(maker)

    browser.post(step(view, "rename"), {"name": "Rents", "is_shared": "on"})
    assert beside(browser_of(viewer)) == {"Rents": False}
    browser.post(step(view, "rename"), {"name": "Rents"})
    assert beside(browser_of(viewer)) == {}
    view.refresh_from_db()
    assert (view.name, view.query) == ("Rents", OLD)
    assert browser.get(step(view, "remove")).status_code == 200
    browser.post(step(view, "remove"))
    assert not SavedView.objects.exists()


def test_name_is_one_of_its_owner_and_list(maker: User, viewer: User) -> None:
    first, second = kept(maker, "Old"), kept(maker, "Older")
    browser = browser_of(maker)

    assert "a view named Old of this list already" in keep(browser, "work=mine", "Old")
    refused = browser.post(step(second, "rename"), {"name": "Old"}).content.decode()
    assert "a view named Old of this list already" in refused
    keep(browser, "q=x", "Old", of="reconciliation.writeoff")
    keep(browser_of(viewer), "work=mine", "Old")

    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.query, second.name, SavedView.objects.count()) == (OLD, "Older", 4)


@pytest.mark.parametrize(
    "query",
    [
        "owner__password__startswith=x",
        "nonsense=1",
        "since__gte=nonsense",
        f"q={'x' * 1_001}",
    ],
)
def test_what_the_list_does_not_take_is_not_kept(maker: User, query: str) -> None:
    said = keep(browser_of(maker), query, "Bad")

    assert "The list does not take these filters." in said
    assert not SavedView.objects.exists()


@pytest.mark.parametrize("label", ["", "nonsense", "no.such", "auth.permission"])
def test_view_is_of_a_list_there_is(maker: User, label: str) -> None:
    url = f"{KEEP}?{urlencode({'list': label, 'query': 'q=x'})}"

    assert browser_of(maker).post(url, {"name": "x"}).status_code == 404


def test_name_and_search_are_shown_as_text(maker: User) -> None:
    browser, name = browser_of(maker), '"><script>alert(1)</script>'
    keep(browser, urlencode({"q": name}), name)

    for url in (LIST, MINE, step(SavedView.objects.get(), "change")):
        page = browser.get(url).content.decode()
        assert "alert(1)" in page
        assert "<script>alert" not in page


def test_other_lists_have_views_too_once_there_is_something_to_keep(maker: User) -> None:
    browser, url = browser_of(maker), reverse("admin:payments_payment_changelist")

    assert "Save this view" not in browser.get(url).content.decode()
    assert "Save this view" in browser.get(f"{url}?status__exact=FAILED").content.decode()
    keep(browser, "status__exact=FAILED", "Failed", of="payments.payment")

    assert beside(browser, f"{url}?status__exact=FAILED") == {"Failed": True}
    assert beside(browser) == {}


def test_nobody_keeps_views_without_end(maker: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(saved_views, "VIEWS_MAX", 1)
    kept(maker, "First")

    with pytest.raises(TooManyViews):
        kept(maker, "Second")
