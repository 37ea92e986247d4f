"""Keys for machines: created, rotated, revoked; shown once; never more than their giver has."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from ledger.errors import Forbidden
from ledger.models import AuditEvent
from payments.models import ApiKey, Merchant
from payments.services.api_keys import issue_api_key
from tests.factories import ApiKeyFactory
from tests.support.api import Api, assert_problem

Scope = ApiKey.Scope


@pytest.fixture
def owner(shop: Merchant) -> Api:
    """A key that may hand out keys for payments."""
    scopes = [Scope.KEYS_WRITE, Scope.PAYMENTS_READ, Scope.PAYMENTS_WRITE]
    return Api(ApiKeyFactory(merchant=shop, name="owner", scopes=scopes).secret)


def create(api: Api, **fields: Any) -> Any:
    return api.post("/api-keys", {"name": "till", "scopes": ["payments:read"], **fields})


def trail(key: str) -> list[tuple[str, str]]:
    events = AuditEvent.objects.filter(subject=key).order_by("id")
    return list(events.values_list("action", "actor_label"))


def test_new_key_is_shown_once_and_works(owner: Api) -> None:
    response = create(owner)

    body = response.json()
    shown = owner.get(f"/api-keys/{body['id']}")
    assert response.status_code == 201
    assert response["Location"] == f"/api/v1/api-keys/{body['id']}"
    assert response["Cache-Control"] == "no-store"
    assert body["key"].startswith(body["prefix"])
    assert (body["name"], body["scopes"], body["expires_at"]) == ("till", ["payments:read"], None)
    assert body["created_by"] == "api_key:owner"
    assert Api(body["key"]).get("/payments").status_code == 200
    assert "key" not in shown.json()
    assert body["key"] not in str(owner.get("/api-keys").content)
    assert body["key"] not in str(list(AuditEvent.objects.values()))
    assert trail(body["id"]) == [("api_key.created", "owner")]


def test_keys_are_listed_newest_first_without_secrets(owner: Api) -> None:
    made = create(owner).json()

    listed = owner.get("/api-keys").json()["results"]

    assert [key["name"] for key in listed] == ["till", "owner"]
    assert listed[0] == {name: made[name] for name in made if name != "key"}


@pytest.mark.parametrize("scope", ["refunds:write", "accounts:write", "operator"])
def test_key_hands_out_no_scope_it_does_not_have(owner: Api, scope: str) -> None:
    response = create(owner, scopes=["payments:read", scope])

    body = assert_problem(response, 403, "scope_not_yours")
    assert scope in body["detail"]
    assert ApiKey.objects.count() == 1


@pytest.mark.django_db
def test_operator_scope_is_never_handed_out_in_production(settings: Any) -> None:
    settings.IS_PRODUCTION = False
    operator = ApiKeyFactory(scopes=Scope.values)
    settings.IS_PRODUCTION = True

    response = create(Api(operator.secret), scopes=["operator"])

    assert_problem(response, 403, "forbidden")
    with pytest.raises(Forbidden):
        issue_api_key(operator.record.merchant, name="demo", scopes=[], secret="demo")
    assert ApiKey.objects.count() == 1


@pytest.mark.parametrize(
    "change",
    [
        *({"scopes": []}, {"scopes": ["everything"]}, {"scopes": "payments:read"}),
        *({"scopes": None}, {"name": ""}, {"name": "x" * 81}, {"name": "a\nb"}),
        *({"expires_at": "2020-01-01T00:00:00Z"}, {"expires_at": "2099-01-01T00:00:00"}),
        *({"expires_at": "tomorrow"}, {"expires_at": 1}, {"digest": "0"}, {"prefix": "tk_"}),
    ],
    ids=str,
)
def test_malformed_key_is_refused(owner: Api, change: dict[str, Any]) -> None:
    response = create(owner, **change)

    assert response.status_code == 422, response.content
    assert ApiKey.objects.count() == 1


def test_key_with_an_end_works_until_then(owner: Api) -> None:
    body = create(owner, expires_at="2099-01-01T00:00:00+01:00").json()

    key = ApiKey.objects.get(public_id=body["id"])
    assert key.expires_at == datetime(2098, 12, 31, 23, tzinfo=UTC)
    assert Api(body["key"]).get("/payments").status_code == 200
    ApiKey.objects.filter(pk=key.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    assert_problem(Api(body["key"]).get("/payments"), 401, "authentication_failed")


def test_revoked_key_is_refused_at_once(owner: Api) -> None:
    made = create(owner).json()
    till = Api(made["key"])
    assert till.get("/payments").status_code == 200

    responses = [
        owner.client.delete(f"/api/v1/api-keys/{made['id']}", headers=owner.authorization)
        for _ in range(2)
    ]

    assert [response.status_code for response in responses] == [204, 204]
    assert_problem(till.get("/payments"), 401, "authentication_failed")
    assert owner.get(f"/api-keys/{made['id']}").json()["revoked_at"] is not None
    assert trail(made["id"]) == [("api_key.created", "owner"), ("api_key.revoked", "owner")]


def test_rotated_key_works_beside_the_new_one_for_a_day(owner: Api) -> None:
    old = create(owner).json()

    response = owner.post(f"/api-keys/{old['id']}/rotate", {})

    new = response.json()
    replaced = ApiKey.objects.get(public_id=old["id"])
    assert response.status_code == 201
    assert (new["name"], new["scopes"], new["expires_at"]) == ("till", ["payments:read"], None)
    assert replaced.replaced_by is not None
    assert replaced.replaced_by.public_id == new["id"] != old["id"]
    assert replaced.expires_at is not None
    left = replaced.expires_at - timezone.now()
    assert timedelta(hours=23) < left <= timedelta(hours=24)
    assert Api(old["key"]).get("/payments").status_code == 200
    assert Api(new["key"]).get("/payments").status_code == 200
    assert trail(old["id"]) == [("api_key.created", "owner"), ("api_key.rotated", "owner")]


def test_rotation_without_overlap_ends_the_old_key_at_once(owner: Api) -> None:
    old = create(owner).json()

    new = owner.post(f"/api-keys/{old['id']}/rotate", {"overlap_hours": 0}).json()

    assert_problem(Api(old["key"]).get("/payments"), 401, "authentication_failed")
    assert Api(new["key"]).get("/payments").status_code == 200


def test_rotation_never_prolongs_the_old_key_and_keeps_the_lifetime(owner: Api) -> None:
    soon = timezone.now() + timedelta(hours=2)
    old = create(owner, expires_at=soon.isoformat()).json()

    new = owner.post(f"/api-keys/{old['id']}/rotate", {"overlap_hours": 168}).json()

    replaced, replacement = (ApiKey.objects.get(public_id=key["id"]) for key in (old, new))
    assert replaced.expires_at == soon
    assert replacement.expires_at is not None
    lifetime = replacement.expires_at - replacement.created_at
    assert abs(lifetime - timedelta(hours=2)) < timedelta(minutes=1)


@pytest.mark.parametrize("hours", [-1, 169, "day", 1.5, None])
def test_overlap_is_at_most_a_week(owner: Api, hours: Any) -> None:
    old = create(owner).json()

    response = owner.post(f"/api-keys/{old['id']}/rotate", {"overlap_hours": hours})

    assert response.status_code == 422
    assert ApiKey.objects.get(public_id=old["id"]).expires_at is None


def test_key_is_rotated_once(owner: Api) -> None:
    old = create(owner).json()
    owner.post(f"/api-keys/{old['id']}/rotate", {})

    again = owner.post(f"/api-keys/{old['id']}/rotate", {})

    assert_problem(again, 409, "api_key_over")
    assert ApiKey.objects.count() == 3


def test_stronger_key_is_not_rotated_into_ones_hands(owner: Api, shop: Merchant) -> None:
    strong = ApiKeyFactory(merchant=shop, scopes=[Scope.REFUNDS_WRITE]).record

    response = owner.post(f"/api-keys/{strong.public_id}/rotate", {})

    assert_problem(response, 403, "scope_not_yours")
    assert ApiKey.objects.count() == 2


def test_key_without_the_scope_sees_no_keys(api: Api) -> None:
    assert_problem(api.get("/api-keys"), 403, "permission_denied")
    assert_problem(create(api), 403, "permission_denied")


@pytest.mark.django_db
def test_given_secret_brings_the_same_key_up_to_date(shop: Merchant) -> None:
    first, _ = issue_api_key(shop, name="demo", scopes=["payments:read"], secret="demo")

    second, secret = issue_api_key(shop, name="demo", scopes=Scope.values, secret="demo")

    assert (first.pk, secret) == (second.pk, "demo")
    assert ApiKey.objects.get().scopes == sorted(Scope.values)
