"""Tokens: counted once, refused when forged, ended when the person may not any more."""

from datetime import timedelta
from typing import Any

import jwt
import pytest
from django.conf import settings as django_settings
from django.contrib.auth.models import User
from django.utils import timezone

from ledger.models import AuditEvent
from payments.models import Login
from payments.services.logins import member_of
from payments.services.members import add_member, change_role, remove_member
from tests.support.api import Api, assert_problem
from tests.support.people import EMAIL, PASSWORD, SYSTEM, Role, refresh, tokens

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quick_passwords")]


def test_refresh_token_counts_once_and_gives_the_next(ann: User) -> None:
    first = tokens()

    second = refresh(first["refresh"]).json()
    third = refresh(second["refresh"]).json()

    assert len({first["refresh"], second["refresh"], third["refresh"]}) == 3
    assert Api(third["access"]).get("/auth/me").status_code == 200
    assert Login.objects.count() == 1


def test_refresh_token_that_comes_twice_ends_the_login(ann: User) -> None:
    stolen = tokens()
    newest = refresh(stolen["refresh"]).json()

    again = refresh(stolen["refresh"])

    assert_problem(again, 401, "authentication_failed")
    assert_problem(refresh(newest["refresh"]), 401, "authentication_failed")
    assert_problem(Api(newest["access"]).get("/auth/me"), 401, "authentication_failed")
    assert AuditEvent.objects.filter(action="login.token_reused").count() == 1


def test_refreshing_does_not_prolong_a_login(ann: User) -> None:
    token = tokens()["refresh"]

    renewed = refresh(token).json()["refresh"]

    ends = [claims(each)["exp"] for each in (token, renewed)]
    assert abs(ends[0] - ends[1]) <= 1
    Login.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert_problem(refresh(renewed), 401, "authentication_failed")


def test_one_login_ends_and_the_other_goes_on(ann: User) -> None:
    phone, laptop = tokens(), tokens()

    ended = Api(None).post("/auth/token/revoke", {"refresh": phone["refresh"]})

    assert ended.status_code == 204
    assert_problem(Api(phone["access"]).get("/auth/me"), 401, "authentication_failed")
    assert_problem(refresh(phone["refresh"]), 401, "authentication_failed")
    assert Api(laptop["access"]).get("/auth/me").status_code == 200
    assert Api(None).post("/auth/token/revoke", {"refresh": "nonsense"}).status_code == 204


@pytest.mark.parametrize("change", ["password", "is_active", "removed"])
def test_token_stops_at_once_when_the_person_may_not_any_more(ann: User, change: str) -> None:
    member = ann.memberships.get()
    mine = tokens()
    add_member(member.merchant, User.objects.create_user("bob"), role=Role.OWNER, actor=SYSTEM)

    if change == "password":
        ann.set_password("another long password")
    if change == "is_active":
        ann.is_active = False
    if change == "removed":
        remove_member(member, actor=SYSTEM)
    ann.save()

    assert_problem(Api(mine["access"]).get("/auth/me"), 401, "authentication_failed")
    if change != "removed":
        assert_problem(refresh(mine["refresh"]), 401, "authentication_failed")


def test_role_counts_from_the_next_request_on(ann: User) -> None:
    member = ann.memberships.get()
    api = Api(tokens()["access"])
    add_member(member.merchant, User.objects.create_user("bob"), role=Role.OWNER, actor=SYSTEM)
    assert api.get("/api-keys").status_code == 200

    change_role(member, role=Role.VIEWER, actor=SYSTEM, reason="new job")

    assert_problem(api.get("/api-keys"), 403, "permission_denied")
    assert api.get("/payments").status_code == 200


def claims(token: str) -> dict[str, Any]:
    return jwt.decode(token, options={"verify_signature": False})


def signed(changes: dict[str, Any], *, algorithm: str = "HS256", key: str | None = None) -> str:
    """Somebody's own token: a good one's claims, changed and signed again; None leaves one out."""
    payload = {**claims(tokens()["access"]), **changes}
    payload = {name: value for name, value in payload.items() if value is not None}
    signing_key = django_settings.SIMPLE_JWT["SIGNING_KEY"] if key is None else key
    return jwt.encode(payload, signing_key, algorithm=algorithm)


@pytest.mark.parametrize(
    ("changes", "options"),
    [
        ({}, {"algorithm": "none", "key": ""}),
        ({}, {"algorithm": "HS512"}),
        ({}, {"key": "k" * 64}),
        ({}, {"key": django_settings.SECRET_KEY}),
        ({"exp": 1}, {}),
        ({"exp": None}, {}),
        ({"aud": "others"}, {}),
        ({"aud": None}, {}),
        ({"iss": "others"}, {}),
        ({"iss": None}, {}),
        ({"jti": None}, {}),
        ({"token_type": "refresh"}, {}),
        ({"token_type": None}, {}),
        ({"login": None}, {}),
        ({"login": "login_0"}, {}),
        ({"merchant": None}, {}),
        ({"merchant": "mer_0"}, {}),
    ],
    ids=str,
)
def test_sec_02_forged_token_is_401(
    ann: User, changes: dict[str, Any], options: dict[str, Any]
) -> None:
    """RFC 8725: one algorithm, own key, issuer, audience, expiry and kind are all looked at."""
    assert member_of(signed({})) is not None

    token = signed(changes, **options)

    assert_problem(Api(token).get("/auth/me"), 401, "authentication_failed")


@pytest.mark.parametrize("token", ["a.b.c", "..", "eyJ.eyJ.x", "é.é.é", f"{'a' * 5_000}.b.c"])
def test_sec_02_what_is_no_token_is_401(token: str) -> None:
    assert_problem(Api(token).get("/auth/me"), 401, "authentication_failed")


def test_refresh_token_is_no_access_token_and_the_other_way_round(ann: User) -> None:
    mine = tokens()

    assert_problem(Api(mine["refresh"]).get("/auth/me"), 401, "authentication_failed")
    assert_problem(refresh(mine["access"]), 401, "authentication_failed")


def test_token_in_the_url_is_refused(ann: User) -> None:
    mine = tokens()

    response = Api(mine["access"]).get("/auth/me", note=mine["access"])

    assert_problem(response, 400, "secret_in_url")


def test_no_secret_is_kept_or_logged(ann: User, caplog: pytest.LogCaptureFixture) -> None:
    mine = tokens()
    refresh(mine["refresh"])
    Api(None).post("/auth/token", {"email": EMAIL, "password": "wrong secret"})

    kept = str([list(model.objects.values()) for model in (Login, AuditEvent, User)])
    for secret in (PASSWORD, "wrong secret", *mine.values()):
        assert secret not in kept
        assert secret not in caplog.text


def test_logins_that_are_over_are_cleared_away(ann: User) -> None:
    tokens()
    Login.objects.update(expires_at=timezone.now() - timedelta(seconds=1))

    tokens()

    assert Login.objects.count() == 1
