"""POST and GET /statements: operators send files, workers load them."""

import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from payments.models import ApiKey
from reconciliation.models import StatementFile, StatementLine
from reconciliation.services import receiving
from reconciliation.services.loading import load_statements
from tests.factories import ApiKeyFactory, GatewayFactory
from tests.support.api import Api, assert_problem
from tests.support.bank_files import camt, entry, zipped
from tests.support.reports import IBAN, define_sources

pytestmark = pytest.mark.django_db

CONTENT = camt(entry("5.00"), entry("-7.00"))
PATH = "/api/v1/statements"


@pytest.fixture
def operator() -> Api:
    GatewayFactory()
    define_sources()
    return Api(ApiKeyFactory(scopes=[ApiKey.Scope.OPERATOR]).secret)


def send(api: Api, content: bytes = CONTENT, query: str = "?source=bank&name=a.xml", **headers):
    return api.client.generic(
        "POST",
        f"{PATH}{query}",
        content,
        content_type="application/xml",
        headers={**api.authorization, **headers},
    )


def test_file_is_accepted_loaded_and_described(operator):
    sent = send(operator)
    waiting = sent.json()

    assert sent.status_code == 202
    assert sent["Location"] == f"{PATH}/{waiting['id']}"
    assert (waiting["status"], waiting["percent"], waiting["source"]) == ("RECEIVED", 0, "bank")
    assert not StatementLine.objects.exists()

    load_statements()
    loaded = operator.get(f"/statements/{waiting['id']}").json()

    assert (loaded["status"], loaded["percent"], loaded["lines"]) == ("LOADED", 100, 2)
    assert (loaded["name"], loaded["format"], loaded["channel"]) == ("a.xml", "camt.053", "api")
    assert loaded["statements"] == [
        {
            "account": IBAN,
            "currency": "EUR",
            "statement": "S1",
            "sequence": "1",
            "first_day": "2026-03-19",
            "last_day": "2026-03-19",
            "opening_balance": "100.00",
            "closing_balance": "98.00",
            "lines": 2,
            "known_lines": 0,
        }
    ]
    assert (loaded["findings"], loaded["rejected"], loaded["members"]) == ([], [], [])


def test_form_is_read_too(operator):
    upload = SimpleUploadedFile("b.xml", CONTENT, content_type="text/xml")

    sent = operator.client.post(
        PATH, {"source": "bank", "file": upload}, headers=operator.authorization
    )

    assert (sent.status_code, sent.json()["name"]) == (202, "b.xml")
    assert StatementFile.objects.get().sha256 == sent.json()["sha256"]


def test_same_bytes_again_are_answered_with_the_first(operator):
    first, again = send(operator), send(operator, query="?source=bank&name=other.xml")

    assert (first.status_code, again.status_code) == (202, 200)
    assert again["Location"] == first["Location"]
    assert again.json()["name"] == "a.xml"
    assert StatementFile.objects.count() == 1


def test_refused_file_says_why_and_which_lines(operator):
    name = send(operator, camt(entry(), entry(mark="PLUS"))).json()["id"]
    load_statements()

    refused = operator.get(f"/statements/{name}").json()

    assert refused["status"] == "REFUSED"
    assert refused["refusal"]["code"] == "bad_lines"
    assert [
        (line["line_no"], line["code"], line["resolution"]) for line in refused["rejected"]
    ] == [(2, "bad_direction", None)]


def test_archive_names_its_members(operator):
    name = send(operator, zipped(("1.xml", CONTENT))).json()["id"]
    load_statements()

    (member,) = operator.get(f"/statements/{name}").json()["members"]

    assert operator.get(f"/statements/{member}").json()["name"] == "1.xml"


def test_list_is_filtered_by_status_and_source(operator):
    send(operator)
    send(operator, b"hello")
    load_statements()
    load_statements()

    def ids(**query):
        return [each["id"] for each in operator.get("/statements", **query).json()["results"]]

    assert len(ids()) == 2
    assert len(ids(status="REFUSED")) == len(ids(status="LOADED")) == 1
    assert len(ids(source="bank")) == 2
    assert ids(source="sim") == []
    assert ids(source="nobody") == []


def test_what_is_missing_or_unknown_is_refused(operator):
    assert_problem(send(operator, query=""), 422, "invalid_request")
    assert_problem(send(operator, query="?source=nobody"), 404, "source_not_found")
    assert_problem(send(operator, query="?source=bank&more=1"), 400, "unknown_parameter")
    form = operator.client.post(PATH, {"source": "bank"}, headers=operator.authorization)
    assert_problem(form, 422, "invalid_request")
    assert_problem(operator.get("/statements/st_1"), 404, "statement_file_not_found")
    compressed = send(operator, **{"Content-Encoding": "gzip"})
    assert_problem(compressed, 415, "unsupported_media_type")
    assert not StatementFile.objects.exists()


def test_what_is_too_large_is_refused_before_it_is_read(operator, monkeypatch):
    declared = operator.client.post(
        f"{PATH}?source=bank",
        b"x",
        content_type="text/csv",
        headers=operator.authorization,
        CONTENT_LENGTH=str(500 * 2**20),
    )
    assert_problem(declared, 413, "body_too_large")

    monkeypatch.setattr(receiving, "FILE_SIZE_MAX", 100)
    assert_problem(send(operator), 422, "file_too_large")
    assert not StatementFile.objects.exists()


def test_only_operators_may(operator):
    merchant = Api(ApiKeyFactory(scopes=[ApiKey.Scope.PAYMENTS_WRITE]).secret)

    assert_problem(send(merchant), 403, "permission_denied")
    assert_problem(merchant.get("/statements"), 403, "permission_denied")


def test_name_is_only_data(operator):
    sent = send(operator, query="?source=bank&name=../../etc/passwd%0d%0a" + "x" * 300)

    assert sent.status_code == 202
    assert len(json.loads(sent.content)["name"]) == 255
