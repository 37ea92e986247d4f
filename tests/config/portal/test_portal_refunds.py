"""Refunds in the portal: asked for once, within what is left, by those who may."""

import pytest
from django.test import Client
from django.urls import reverse

from payments.models import Merchant, Payment, Refund
from payments.services.processing import process_refunds
from tests.factories import MerchantFactory, PaymentFactory, SucceededPaymentFactory, eur
from tests.support.portal import Role, text_of, visit
from tests.support.races import run_together

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books")]


@pytest.fixture
def shop() -> Merchant:
    return MerchantFactory(code="shop", name="Shop")


@pytest.fixture
def client(shop: Merchant) -> Client:
    return visit(shop, Role.ADMIN)


@pytest.fixture
def payment(shop: Merchant) -> Payment:
    return SucceededPaymentFactory(merchant=shop, money=eur("100.00"), reference="A-1")


def page_of(payment: Payment) -> str:
    return reverse("portal:payment", args=[payment.public_id])


def form_at(payment: Payment) -> str:
    return reverse("portal:refund", args=[payment.public_id])


def form_of(client: Client, payment: Payment, **fields: str) -> dict[str, str]:
    form = client.get(form_at(payment)).context["form"]
    return {name: form[name].value() or "" for name in form.fields} | fields


def test_part_is_given_back_and_its_state_is_shown(client: Client, payment: Payment) -> None:
    form = form_of(client, payment, amount="30.00", reason="Came late", reference="R-1")

    answer = client.post(form_at(payment), form)

    refund = Refund.objects.get()
    assert answer["Location"] == page_of(payment)
    assert (refund.money, refund.reason, refund.reference) == (eur("30.00"), "Came late", "R-1")
    assert refund.created_by == "user:ann@example.com"
    page = text_of(client.get(page_of(payment)))
    assert "A refund of 30.00 EUR is on its way." in page
    assert '<span class="status pending">Pending</span>' in page
    assert "It is being worked on" in page
    assert "70.00 EUR is left." in page
    process_refunds()
    page = text_of(client.get(page_of(payment)))
    assert page.count('<span class="status succeeded">Succeeded</span>') == 2
    assert "It is being worked on" not in page


def test_form_begins_with_the_rest_and_nothing_is_offered_after_it(
    client: Client, payment: Payment
) -> None:
    client.post(form_at(payment), form_of(client, payment, amount="30.00"))

    rest = form_of(client, payment)
    client.post(form_at(payment), rest)

    assert rest["amount"] == "70.00"
    assert sorted(Refund.objects.values_list("amount", flat=True)) == [3_000, 7_000]
    assert form_at(payment) not in text_of(client.get(page_of(payment)))
    gone = client.get(form_at(payment))
    assert gone.status_code == 409
    assert "given back already" in text_of(gone)


def test_refund_is_made_once_however_often_the_form_comes(client: Client, payment: Payment) -> None:
    form = form_of(client, payment)  # all of it: a second one would be too much

    first, second = (client.post(form_at(payment), form) for _ in range(2))

    assert first["Location"] == second["Location"] == page_of(payment)
    assert Refund.objects.get().money == eur("100.00")


def test_form_that_came_with_other_figures_is_refused(client: Client, payment: Payment) -> None:
    form = form_of(client, payment, amount="30.00")
    client.post(form_at(payment), form)

    answer = client.post(form_at(payment), {**form, "amount": "40.00"})

    assert answer.status_code == 422
    assert "open it anew" in text_of(answer)
    assert Refund.objects.get().money == eur("30.00")


@pytest.mark.django_db(transaction=True)
def test_two_clicks_at_once_make_one_refund(shop: Merchant) -> None:
    payment = SucceededPaymentFactory(merchant=shop, money=eur("100.00"))
    first, second = visit(shop), Client()
    second.force_login(shop.members.get().user)
    form = form_of(first, payment, amount="30.00")

    answers = run_together(
        *[lambda browser=each: browser.post(form_at(payment), form) for each in (first, second)]
    )

    assert {answer["Location"] for answer in answers} == {page_of(payment)}
    assert Refund.objects.get().money == eur("30.00")


def test_more_than_is_left_is_refused_with_what_is_left(client: Client, payment: Payment) -> None:
    early = form_of(client, payment)
    client.post(form_at(payment), form_of(client, payment, amount="30.00"))

    too_much = client.post(form_at(payment), form_of(client, payment, amount="70.01"))
    late = client.post(form_at(payment), early)

    for answer in (too_much, late):
        assert "70.00 EUR is left to refund." in text_of(answer)
        assert answer.context["form"]["idempotency_key"].value()  # the next try may be right
    assert Refund.objects.get().money == eur("30.00")
    payment.refresh_from_db()
    assert payment.refundable == eur("70.00")


def test_form_that_was_wrong_is_sent_again_with_the_right_amount(
    client: Client, payment: Payment
) -> None:
    form = form_of(client, payment, amount="100.01")
    client.post(form_at(payment), form)

    answer = client.post(form_at(payment), {**form, "amount": "100.00"})

    assert answer["Location"] == page_of(payment)
    assert Refund.objects.get().money == eur("100.00")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("amount", ""),
        ("amount", "0"),
        ("amount", "-1.00"),
        ("amount", "1.001"),
        ("amount", "1e1"),
        ("amount", "all"),
        ("reason", "4111 1111 1111 1111"),
        ("reason", "a\u202eb"),
        ("reference", "4111111111111111"),
        ("idempotency_key", ""),
        ("idempotency_key", "a b"),
    ],
)
def test_wish_that_the_api_refuses_is_refused_here(
    client: Client, payment: Payment, field: str, value: str
) -> None:
    answer = client.post(form_at(payment), form_of(client, payment, **{field: value}))

    assert answer.status_code == 200
    assert 'class="errorlist' in answer.content.decode()
    assert not Refund.objects.exists()


def test_reference_that_is_taken_is_said_beside_it(client: Client, payment: Payment) -> None:
    client.post(form_at(payment), form_of(client, payment, amount="1.00", reference="R-1"))

    form = form_of(client, payment, amount="2.00", reference="R-1")
    answer = client.post(form_at(payment), form)

    assert "belongs to another payment or refund" in str(answer.context["form"].errors)
    assert Refund.objects.get().money == eur("1.00")


def test_payment_that_did_not_succeed_is_not_refunded(client: Client, shop: Merchant) -> None:
    payment = PaymentFactory(merchant=shop, money=eur("100.00"))
    form = {"amount": "1.00", "idempotency_key": "k-1"}

    assert form_at(payment) not in text_of(client.get(page_of(payment)))
    assert client.get(form_at(payment)).status_code == 409
    assert client.post(form_at(payment), form).status_code == 409
    assert not Refund.objects.exists()


@pytest.mark.parametrize("role", [Role.DEVELOPER, Role.VIEWER])
def test_roles_that_may_not_refund_see_refunds_and_ask_for_none(
    shop: Merchant, client: Client, payment: Payment, role: Role
) -> None:
    client.post(form_at(payment), form_of(client, payment, amount="30.00"))
    reader = visit(shop, role, "bob@example.com")

    page = text_of(reader.get(page_of(payment)))
    answer = reader.post(form_at(payment), {"amount": "1.00", "idempotency_key": "k-1"})

    assert Refund.objects.get().public_id in page
    assert form_at(payment) not in page
    assert answer.status_code == 403
    assert Refund.objects.count() == 1


def test_payment_of_another_merchant_is_not_refunded(client: Client) -> None:
    theirs = SucceededPaymentFactory(merchant=MerchantFactory(code="other"), money=eur("100.00"))
    form = {"amount": "1.00", "idempotency_key": "k-1"}

    answer = client.post(form_at(theirs), form)

    assert answer.status_code == 404
    assert not Refund.objects.exists()
