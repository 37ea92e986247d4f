"""People sign up, log in, and act for a merchant as long as they may."""

import json
from datetime import timedelta
from typing import Any

import jwt
import pytest
from django.conf import settings as django_settings
from django.contrib.auth.models import User
from django.utils import timezone

from ledger.actors import Actor
from ledger.models import Account, AuditEvent
from payments.errors import LastOwner, MemberExists
from payments.models import Login, Merchant, MerchantMember, Payment
from payments.services.logins import log_in, member_of
from payments.services.members import add_member, change_role, remove_member
from settlements.services.batches import run_settlement
from tests.factories import ApiKeyFactory, GatewayFactory, MerchantFactory, SucceededPaymentFactory
from tests.support.api import Api, assert_problem

pytestmark = pytest.mark.django_db

EMAIL, PASSWORD = "ann@example.com", " a long password with spaces "
SIGN_UP = {"name": "Ann's Café", "email": EMAIL, "password": PASSWORD}
SYSTEM = Actor.system("tests")
Role = MerchantMember.Role


@pytest.fixture(autouse=True)
def quick_passwords(settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def ann() -> User:
    assert Api(None).post("/merchants/register", SIGN_UP).status_code == 201
    return User.objects.get(username=EMAIL)


def tokens(**fields: Any) -> dict[str, str]:
    response = Api(None).post("/auth/token", {"email": EMAIL, "password": PASSWORD, **fields})
    assert response.status_code == 200, response.content
    return response.json()


def refresh(token: str) -> Any:
    return Api(None).post("/auth/token/refresh", {"refresh": token})


def test_signing_up_makes_a_merchant_its_owner_and_a_wallet() -> None:
    response = Api(None).post("/merchants/register", SIGN_UP)

    body = response.json()
    merchant = Merchant.objects.get()
    account = Account.objects.get()
    member = MerchantMember.objects.get()
    assert response.status_code == 201
    assert (body["id"], body["code"]) == (merchant.public_id, merchant.code)
    assert (body["name"], body["email"]) == ("Ann's Café", EMAIL)
    assert body["account"] == {"id": account.public_id, "code": "wallet-usd", "currency": "USD"}
    assert (account.owner, account.floor) == (merchant.public_id, 0)
    assert (member.user.username, member.merchant, member.role) == (EMAIL, merchant, "owner")
    assert list(AuditEvent.objects.order_by("id").values_list("action", "actor_label")) == [
        ("merchant.signed_up", EMAIL),
        ("member.added", EMAIL),
        ("account.opened", EMAIL),
    ]


def test_wallet_has_the_currency_that_was_asked_for() -> None:
    Api(None).post("/merchants/register", {**SIGN_UP, "currency": "EUR"})

    assert (Account.objects.get().code, Account.objects.get().currency) == ("wallet-eur", "EUR")


def test_code_of_a_new_merchant_is_never_one_that_somebody_could_configure() -> None:
    for number in range(3):
        wish = {**SIGN_UP, "name": "bike-shop", "email": f"{number}@example.com"}
        assert Api(None).post("/merchants/register", wish).status_code == 201

    codes = list(Merchant.objects.values_list("code", flat=True))
    assert len(set(codes)) == 3
    assert all(len(code) == len("bike-shop-12345678") for code in codes)


@pytest.mark.parametrize("name", ["Кафе", "!!!", "x" * 120])
def test_any_name_makes_a_code(name: str) -> None:
    response = Api(None).post("/merchants/register", {**SIGN_UP, "name": name})

    assert response.status_code == 201
    assert len(Merchant.objects.get().code) <= 40


@pytest.mark.parametrize("email", [EMAIL, "Ann@Example.com"])
def test_email_address_signs_up_once(ann: User, email: str) -> None:
    response = Api(None).post("/merchants/register", {**SIGN_UP, "email": email})

    assert_problem(response, 409, "email_taken")
    assert (User.objects.count(), Merchant.objects.count(), Account.objects.count()) == (1, 1, 1)


@pytest.mark.parametrize("password", ["sh0rt!x", "12345678901", "password1", EMAIL])
def test_weak_password_is_refused_and_nothing_is_made(password: str) -> None:
    response = Api(None).post("/merchants/register", {**SIGN_UP, "password": password})

    body = assert_problem(response, 422, "password_too_weak")
    assert password not in json.dumps(body)
    assert (User.objects.count(), Merchant.objects.count(), Account.objects.count()) == (0, 0, 0)


@pytest.mark.parametrize(
    "change",
    [
        *({"email": "ann"}, {"email": f"{'a' * 150}@example.com"}, {"name": ""}, {"name": None}),
        *({"currency": "XXX"}, {"role": "owner"}, {"password": ["a long password"]}),
    ],
    ids=str,
)
def test_malformed_sign_up_is_refused(change: dict[str, Any]) -> None:
    response = Api(None).post("/merchants/register", {**SIGN_UP, **change})

    assert response.status_code == 422, response.content
    assert not User.objects.exists()


def test_person_logs_in_and_takes_a_payment(ann: User) -> None:
    GatewayFactory()
    api = Api(tokens()["access"])

    me = api.get("/auth/me").json()
    paid = api.pay(key="k1")

    merchant = ann.memberships.get().merchant
    assert (me["kind"], me["name"], me["role"]) == ("user", EMAIL, "owner")
    assert me["merchant"]["id"] == merchant.public_id
    assert "payments:write" in me["scopes"]
    assert "operator" not in me["scopes"]
    assert paid.status_code == 202
    assert Payment.objects.get().merchant == merchant
    assert paid.json()["created_by"] == f"user:{EMAIL}"
    assert api.get("/merchants/me").json() == me["merchant"]


def test_key_is_told_who_it_is() -> None:
    issued = ApiKeyFactory(name="till")

    me = Api(issued.secret).get("/auth/me").json()

    assert (me["kind"], me["id"], me["name"], me["role"]) == (
        *("api_key", issued.record.public_id, "till"),
        None,
    )


def test_email_address_is_read_in_any_case(ann: User) -> None:
    assert tokens(email="ANN@example.COM")["access"]


@pytest.mark.parametrize(
    "fields",
    [{"password": PASSWORD.strip()}, {"password": "x"}, {"email": "bob@example.com"}],
    ids=str,
)
def test_wrong_email_or_password_is_401_and_does_not_say_which(
    ann: User, fields: dict[str, str]
) -> None:
    response = Api(None).post("/auth/token", {"email": EMAIL, "password": PASSWORD, **fields})

    body = assert_problem(response, 401, "authentication_failed")
    assert body["detail"] == "The e-mail address or the password is wrong."
    assert response["WWW-Authenticate"] == "Bearer"
    assert not Login.objects.exists()


def test_person_who_left_the_company_cannot_log_in(ann: User) -> None:
    User.objects.update(is_active=False)

    response = Api(None).post("/auth/token", {"email": EMAIL, "password": PASSWORD})

    assert_problem(response, 401, "authentication_failed")


def test_operator_without_a_merchant_gets_no_token() -> None:
    User.objects.create_superuser(EMAIL, password=PASSWORD)

    response = Api(None).post("/auth/token", {"email": EMAIL, "password": PASSWORD})

    assert_problem(response, 403, "no_membership")


def test_person_with_several_merchants_says_which(ann: User) -> None:
    first, second, strange = ann.memberships.get().merchant, MerchantFactory(), MerchantFactory()
    add_member(second, ann, role=Role.VIEWER, actor=SYSTEM)
    credentials = {"email": EMAIL, "password": PASSWORD}

    unsaid = Api(None).post("/auth/token", credentials)
    foreign = Api(None).post("/auth/token", {**credentials, "merchant_id": strange.public_id})

    body = assert_problem(unsaid, 422, "merchant_not_chosen")
    assert first.public_id in body["detail"]
    assert strange.public_id not in body["detail"]
    assert_problem(foreign, 404, "merchant_not_found")
    for merchant, role in ((first, "owner"), (second, "viewer")):
        me = Api(tokens(merchant_id=merchant.public_id)["access"]).get("/auth/me").json()
        assert (me["merchant"]["id"], me["role"]) == (merchant.public_id, role)


def test_answers_with_secrets_are_not_to_be_stored(ann: User) -> None:
    response = Api(None).post("/auth/token", {"email": EMAIL, "password": PASSWORD})

    assert response["Cache-Control"] == "no-store"
    assert refresh(response.json()["refresh"])["Cache-Control"] == "no-store"


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


def test_merchant_keeps_an_owner(ann: User) -> None:
    member = ann.memberships.get()
    add_member(member.merchant, User.objects.create_user("bob"), role=Role.ADMIN, actor=SYSTEM)

    with pytest.raises(LastOwner):
        change_role(member, role=Role.ADMIN, actor=SYSTEM)
    with pytest.raises(LastOwner):
        remove_member(member, actor=SYSTEM)

    assert list(MerchantMember.objects.order_by("pk").values_list("role", flat=True)) == [
        *("owner", "admin"),
    ]


def test_change_of_members_is_in_the_audit_trail(ann: User) -> None:
    merchant, bob = ann.memberships.get().merchant, User.objects.create_user("bob")

    member = add_member(merchant, bob, role=Role.ADMIN, actor=SYSTEM)
    with pytest.raises(MemberExists):
        add_member(merchant, bob, role=Role.OWNER, actor=SYSTEM)
    change_role(member, role=Role.VIEWER, actor=SYSTEM, reason="new job")
    remove_member(member, actor=SYSTEM, reason="left")

    trail = AuditEvent.objects.filter(subject=merchant.public_id, actor_kind="system")
    assert list(trail.order_by("id").values_list("action", "reason", "before", "after")) == [
        ("member.added", "", {}, {"user": "bob", "role": "admin"}),
        (
            "member.role_changed",
            "new job",
            {"user": "bob", "role": "admin"},
            {"user": "bob", "role": "viewer"},
        ),
        ("member.removed", "left", {"user": "bob", "role": "viewer"}, {}),
    ]
    assert log_in(EMAIL, PASSWORD) is not None


def test_dashboard_shows_how_the_merchant_stands(ann: User) -> None:
    GatewayFactory()
    merchant = ann.memberships.get().merchant
    done = SucceededPaymentFactory(merchant=merchant)
    SucceededPaymentFactory()
    api = Api(tokens()["access"])
    api.pay(amount="7.50")

    shown, balance = api.get("/dashboard").json(), api.get("/balance").json()

    assert [payment["amount"] for payment in shown["recent_payments"]] == ["7.50", "100.00"]
    assert shown["recent_payments"][1]["id"] == done.public_id
    assert {key: n for key, n in shown["payments_by_status"].items() if n} == {
        "SUCCEEDED": 1,
        "PENDING": 1,
    }
    assert (
        shown["balances"]
        == balance["balances"]
        == [
            {
                "currency": "EUR",
                "available": "100.00",
                "pending": "7.50",
                "reserve": "0.00",
                "in_transit": "0.00",
            }
        ]
    )


def test_balance_follows_the_money_to_the_bank(ann: User) -> None:
    GatewayFactory()
    payment = SucceededPaymentFactory(merchant=ann.memberships.get().merchant)
    api = Api(tokens()["access"])

    run_settlement(timezone.now().date(), actor=SYSTEM)

    (balance,) = api.get("/balance").json()["balances"]
    assert payment.fee == 0
    assert (balance["available"], balance["in_transit"]) == ("0.00", "100.00")
