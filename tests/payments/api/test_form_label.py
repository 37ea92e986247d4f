"""`curl -d '{…}'` without a header says application/x-www-form-urlencoded: JSON is read, forms are
refused."""

import pytest

from payments.models import Payment
from tests.support.api import Api, assert_problem

FORM = "application/x-www-form-urlencoded"
WISH = '{"amount": "50.00", "currency": "EUR", "source": "tok_visa"}'

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("body", [WISH, f" \n\t{WISH}"])
def test_json_labelled_as_a_form_is_read(api: Api, body: str) -> None:
    response = api.post("/payments", body, content_type=FORM)

    assert response.status_code == 202, response.content
    assert Payment.objects.get().money.text == "50.00"


def test_its_key_is_taken_from_the_body_too(api: Api) -> None:
    body = WISH.replace("{", '{"idempotencyKey": "k1", ')

    assert api.post("/payments", body, content_type=FORM, key=None).status_code == 202
    again = api.post("/payments", body, content_type="application/json", key=None)
    assert again["Idempotent-Replayed"] == "true"


@pytest.mark.parametrize("body", ["amount=50.00&currency=EUR&source=tok_visa", "[]", "null", "%7B"])
def test_a_form_is_415(api: Api, body: str) -> None:
    problem = api.post("/payments", body, content_type=FORM)

    assert_problem(problem, 415, "unsupported_media_type")
    assert not Payment.objects.exists()


def test_an_empty_form_is_an_empty_body(api: Api) -> None:
    problem = assert_problem(api.post("/payments", "", content_type=FORM), 422, "invalid_request")

    pointers = [error["pointer"] for error in problem["errors"]]
    assert pointers == ["#/amount", "#/currency", "#/source"]


def test_broken_json_labelled_as_a_form_is_400(api: Api) -> None:
    assert_problem(api.post("/payments", '{"amount":', content_type=FORM), 400, "parse_error")
