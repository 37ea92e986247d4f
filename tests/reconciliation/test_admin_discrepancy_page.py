"""The page of a discrepancy: both sides, the chain of records, notes and history; and the list."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils.timezone import now

from ledger.actors import Actor
from payments.models import Payment
from reconciliation.admin.filters import AGES, today
from reconciliation.models import Discrepancy, StatementLine
from reconciliation.services.discrepancies import add_note, investigate
from reconciliation.services.runs import reconcile
from reconciliation.services.write_offs import propose_write_off
from tests.factories import SucceededPaymentFactory, eur
from tests.reconciliation.test_admin_discrepancies import LIST, WORK, person
from tests.support.reports import charge, define_sources, load, report

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books")]

CLERK = Actor.system("clerk")
EVERYTHING = (*WORK, "add_writeoff", "view_writeoff", "view_statementline")


@pytest.fixture
def payment() -> Payment:
    """Of 100.00 EUR and expected to cost 1.65, reported with 90.00 and 1.65."""
    payment = SucceededPaymentFactory(money=eur("100.00"), reference="order-7")
    line = charge(payment, "txn_1", gross="90.00", customer_facing_amount="90.00")
    load(define_sources()[0], report(line))
    reconcile(as_of=today())
    return payment


def found(kind: str = "amount_mismatch") -> Discrepancy:
    return Discrepancy.objects.get(type=kind)


def url_of(discrepancy: Discrepancy) -> str:
    return reverse("admin:reconciliation_discrepancy_change", args=[discrepancy.pk])


def test_both_sides_stand_next_to_each_other_and_what_differs_is_marked(payment: Payment) -> None:
    page = person("clerk", *EVERYTHING).get(url_of(found()))

    sides = {row.label: row for row in page.context["sides"]}
    assert (sides["Amount"].ours, sides["Amount"].theirs) == (eur("100.00"), eur("90.00"))
    assert (sides["Fee"].ours, sides["Fee"].theirs) == (eur("1.65"), eur("1.65"))
    assert sides["Reference"].ours == sides["Reference"].theirs == "order-7"
    assert [row.label for row in sides.values() if row.differs] == ["Amount"]
    assert '<tr class="differs"><th scope="row">Amount</th>' in page.content.decode()


def test_chain_leads_from_the_payment_to_its_entries_fee_and_line(payment: Payment) -> None:
    links = root().get(url_of(found())).context["chain"]

    assert [(link.label, bool(link.url)) for link in links] == [
        ("Payment", True),
        ("Journal", True),
        ("Journal entry", True),  # of the fees, with those of other matches
        ("Fee group", True),
        ("Statement line", True),
        ("Settlement", False),
    ]
    assert links[0].url == f"/admin/payments/payment/{payment.pk}/change/"
    assert links[1].url.endswith(f"?q={payment.public_id}")


def root() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("root@example.com"))
    return client


def test_chain_stands_on_the_pages_of_its_records_for_whoever_may_see_them(
    payment: Payment,
) -> None:
    line = StatementLine.objects.get()
    boss, pages = root(), {"payments_payment": payment.pk, "reconciliation_statementline": line.pk}
    for name, pk in pages.items():
        page = boss.get(reverse(f"admin:{name}_change", args=[pk])).content.decode()
        assert "The chain" in page
        assert url_of(found()) in page
    links = person("reader", "view_discrepancy").get(url_of(found())).context["chain"]
    assert [link.label for link in links] == ["Settlement"]


def test_notes_steps_and_proposals_are_told_in_order(payment: Payment) -> None:
    discrepancy = found()
    investigate(discrepancy, actor=CLERK)
    add_note(discrepancy, "The shop gave a discount.", actor=CLERK)
    propose_write_off(
        discrepancy, kind="write_off", reason_code="other", reason="Lost.", actor=CLERK
    )

    page = person("clerk", *EVERYTHING).get(url_of(discrepancy))

    assert [(each.what, each.text) for each in page.context["happenings"]] == [
        ("proposed", "Lost."),
        ("note", "The shop gave a discount."),
        ("investigated", ""),
    ]
    assert "Lost." in page.content.decode()


def test_note_is_left_from_the_page_itself(payment: Payment) -> None:
    clerk, discrepancy = person("clerk", *WORK), found()
    action = reverse("admin:reconciliation_discrepancy_leave_note", args=[discrepancy.pk])

    assert action in clerk.get(url_of(discrepancy)).content.decode()
    clerk.post(action, {"text": "Asked the shop."})

    assert "Asked the shop." in clerk.get(url_of(discrepancy)).content.decode()
    reader = person("reader", "view_discrepancy").get(url_of(discrepancy)).content.decode()
    assert action not in reader


@pytest.mark.parametrize("bucket", AGES)
def test_list_is_narrowed_down_by_age(bucket: str, payment: Payment) -> None:
    least, most, _ = AGES[bucket]
    clerk = person("clerk", *WORK)
    for days, is_in in {least: True, least - 1: False, (most or 400): True}.items():
        Discrepancy.objects.filter(pk=found().pk).update(since=today() - timedelta(days=days))
        listed = {each.pk for each in listed_by(clerk, age=bucket)}
        assert (found().pk in listed) == (is_in or bucket == "0-1"), days


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ({"work": "open"}, 1),
        ({"work": "mine"}, 0),
        ({"work": "unassigned"}, 1),
        ({"work": "decision"}, 0),
        ({"work": "open", "least": "10"}, 1),
        ({"least": "10.01"}, 0),
        ({"least": "x"}, 0),
        ({"currency": "EUR", "type__exact": "amount_mismatch"}, 1),
    ],
)
def test_list_is_narrowed_down(query: dict[str, str], count: int, payment: Payment) -> None:
    assert len(listed_by(person("clerk", *WORK), **query)) == count


def listed_by(client: Client, **query: str) -> list[Discrepancy]:
    return list(client.get(LIST, query).context["cl"].queryset)


def test_several_are_given_to_somebody_and_noted_at_once(payment: Payment) -> None:
    clerk, discrepancy = person("clerk", *WORK), found()
    person("other")
    selected = {"_selected_action": [discrepancy.pk]}

    asked = clerk.post(LIST, {"action": "assign_selected", **selected})["Location"]
    form = clerk.get(asked).context["form"]
    other = form.fields["owner"].queryset.get(username="other")
    clerk.post(asked, {"owner": other.pk})
    asked = clerk.post(LIST, {"action": "note_selected", **selected})["Location"]
    clerk.post(asked, {"text": "All of one shop."})

    discrepancy.refresh_from_db()
    assert discrepancy.owner == other
    assert [note.text for note in discrepancy.notes.all()] == ["All of one shop."]


def test_candidates_are_told_with_reasons_and_matched_by_hand() -> None:
    payment = SucceededPaymentFactory(money=eur("100.00"), reference="order-7")
    line = charge(payment, "txn_1", **{"payment_metadata[reference]": "somebody-else"})
    load(define_sources()[0], report(line))
    reconcile(as_of=today())
    clerk, orphan = person("clerk", *WORK), found("orphan_line")
    candidates = reverse("admin:reconciliation_discrepancy_candidates", args=[orphan.pk])

    assert f"{candidates}?part=1" in clerk.get(url_of(orphan)).content.decode()
    (told,) = clerk.get(candidates).context["candidates"]
    assert (told.subject, told.against) == (
        payment.public_id,
        ("the line has a reference, and another one: an amount is no proof",),
    )
    match = reverse("admin:reconciliation_discrepancy_match_by_hand", args=[orphan.pk])
    asked = {"line": told.line, "subject": told.subject}
    assert f"{match}?line={told.line}&subject={told.subject}" in (
        clerk.get(candidates).content.decode()
    )
    assert clerk.get(match, asked).context["form"].initial == asked
    wrong = clerk.post(match, {**asked, "subject": "pay_0", "reason": "?"})
    assert wrong.status_code == 200
    assert clerk.post(match, {**asked, "reason": "They mistyped it."}).status_code == 302

    assert payment.match.rule == "by_hand"
    orphan.refresh_from_db()
    assert orphan.resolved_at is not None
    reader = person("reader", "view_discrepancy")
    assert reader.post(match, {**asked, "reason": "no"}).status_code == 403
    assert person("stranger").get(candidates).status_code == 403


def test_page_says_what_to_do_first(payment: Payment) -> None:
    page = person("clerk", *WORK).get(url_of(found())).content.decode()

    assert "Compare with the order" in page
    Discrepancy.objects.filter(pk=found().pk).update(status="RESOLVED", resolved_at=now())
    assert (
        "Compare with the order" not in person("other", *WORK).get(url_of(found())).content.decode()
    )
