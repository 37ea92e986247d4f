"""API keys in the portal, for the roles of the API; members, for owners alone."""

import pytest
from django.test import Client
from django.urls import reverse

from ledger.models import AuditEvent
from payments.key_format import is_well_formed
from payments.models import ApiKey, Merchant, MerchantMember
from payments.services.api_keys import issue_api_key
from payments.services.members import SCOPES_OF_ROLE
from tests.factories import MerchantFactory
from tests.support.api import Api
from tests.support.portal import Role, member, text_of, visit

pytestmark = pytest.mark.django_db

KEYS = reverse("portal:keys")
MEMBERS = reverse("portal:members")
Scope = ApiKey.Scope
WISH: dict[str, object] = {
    "name": "web shop",
    "scopes": ["payments:read", "payments:write"],
    "days": "30",
}


@pytest.fixture
def shop() -> Merchant:
    return MerchantFactory(code="shop", name="Shop")


@pytest.fixture
def client(shop: Merchant) -> Client:
    return visit(shop)


def works(secret: str) -> bool:
    return Api(secret).get("/payments").status_code == 200


def test_new_key_works_and_is_shown_in_that_answer_only(client: Client) -> None:
    response = client.post(KEYS, WISH)

    secret = response.context["secret"]
    key = ApiKey.objects.get()
    assert response.status_code == 201
    assert is_well_formed(secret)
    assert secret in text_of(response)
    assert works(secret)
    assert sorted(key.scopes) == ["payments:read", "payments:write"]
    assert key.created_by == "user:ann@example.com"
    assert key.expires_at is not None
    for url in (KEYS, reverse("portal:key", args=[key.public_id])):
        assert secret not in client.get(url).content.decode()
        assert key.prefix in client.get(url).content.decode()
    assert secret not in str(list(AuditEvent.objects.values()))
    assert secret not in str(dict(client.session))


@pytest.mark.parametrize(
    "change",
    [
        {"scopes": ["operator"]},
        {"scopes": []},
        {"name": ""},
        {"name": "4111 1111 1111 1111"},
        {"name": "a\u202eb"},
        {"days": "7000"},
    ],
)
def test_key_that_nobody_may_have_is_not_made(client: Client, change: dict[str, object]) -> None:
    response = client.post(KEYS, WISH | change)

    assert 'class="errorlist' in response.content.decode()
    assert not ApiKey.objects.exists()


def test_rotated_key_goes_on_for_the_overlap_and_the_new_one_is_shown(client: Client) -> None:
    old = client.post(KEYS, WISH).context["secret"]
    key = ApiKey.objects.get()

    response = client.post(
        reverse("portal:rotate_key", args=[key.public_id]), {"overlap_hours": "0"}
    )

    assert response.status_code == 201
    assert works(response.context["secret"])
    assert not works(old)
    again = client.post(reverse("portal:rotate_key", args=[key.public_id]), {"overlap_hours": "1"})
    assert again.status_code == 409


def test_revoked_key_lets_nobody_in(client: Client) -> None:
    secret = client.post(KEYS, WISH).context["secret"]
    key = ApiKey.objects.get()
    url = reverse("portal:revoke_key", args=[key.public_id])

    unsure = client.post(url)
    assert 'class="errorlist' in unsure.content.decode()
    assert works(secret)
    client.post(url, {"sure": "on"})

    assert not works(secret)
    assert "Revoked" in text_of(client.get(KEYS))


@pytest.mark.parametrize("role", [Role.ADMIN, Role.DEVELOPER, Role.VIEWER])
def test_others_than_owners_do_not_change_members(shop: Merchant, role: Role) -> None:
    ann = member(shop, Role.OWNER, "owner@example.com").memberships.get()
    client = visit(shop, role)

    for url, sent in (
        (reverse("portal:member_role", args=[ann.pk]), {"role": "viewer"}),
        (reverse("portal:remove_member", args=[ann.pk]), {"sure": "on"}),
    ):
        assert client.post(url, sent).status_code == 403
    ann.refresh_from_db()
    assert ann.role == Role.OWNER


def steps_with(key: ApiKey) -> list[tuple[str, dict[str, object]]]:
    return [
        (KEYS, WISH | {"scopes": ["payments:read"]}),
        (reverse("portal:rotate_key", args=[key.public_id]), {"overlap_hours": "0"}),
        (reverse("portal:revoke_key", args=[key.public_id]), {"sure": "on"}),
    ]


@pytest.mark.parametrize("role", list(Role))
def test_keys_are_for_the_roles_that_the_api_gives_them_to(shop: Merchant, role: Role) -> None:
    key, _ = issue_api_key(shop, name="web shop", scopes=["payments:read"])
    client = visit(shop, role)

    answers = [client.post(url, sent).status_code for url, sent in steps_with(key)]

    allowed = Scope.KEYS_WRITE in SCOPES_OF_ROLE[role]
    assert answers == ([201, 201, 302] if allowed else [403, 403, 403])
    key.refresh_from_db()
    assert (ApiKey.objects.count(), bool(key.revoked_at)) == ((3, True) if allowed else (1, False))


@pytest.mark.parametrize("role", list(Role))
def test_nobody_makes_a_key_that_may_do_more_than_himself(shop: Merchant, role: Role) -> None:
    own = {str(scope) for scope in SCOPES_OF_ROLE[role]}
    client = visit(shop, role)

    for scope in Scope:
        client.post(KEYS, WISH | {"scopes": [str(scope)]})

    made = {scope for key in ApiKey.objects.all() for scope in key.scopes}
    assert made == (own if Scope.KEYS_WRITE in own else set())


def test_developer_does_not_get_the_secret_of_a_wider_key(shop: Merchant) -> None:
    key, _ = issue_api_key(shop, name="till", scopes=["payments:read", "payments:write"])
    client, (_, rotate, revoke) = visit(shop, Role.DEVELOPER), steps_with(key)

    page = text_of(client.get(reverse("portal:key", args=[key.public_id])))
    refused = client.post(*rotate)

    assert "It may do more than you" in page
    assert rotate[0] not in page
    assert refused.status_code == 403
    assert "payments:write" in text_of(refused)
    assert ApiKey.objects.count() == 1
    assert client.post(*revoke).status_code == 302  # as through the API


def test_owner_changes_a_role_and_it_counts_at_once(client: Client, shop: Merchant) -> None:
    bob = visit(shop, Role.ADMIN, "bob@example.com")
    record = shop.members.get(user__username="bob@example.com")

    client.post(reverse("portal:member_role", args=[record.pk]), {"role": "viewer"})

    assert bob.get(reverse("portal:new_payment")).status_code == 403
    event = AuditEvent.objects.get(action="member.role_changed")
    assert (event.subject, event.actor_label) == (shop.public_id, "ann@example.com")


def test_owner_removes_a_member_after_saying_so(client: Client, shop: Merchant) -> None:
    bob = visit(shop, Role.ADMIN, "bob@example.com")
    record = shop.members.get(user__username="bob@example.com")
    url = reverse("portal:remove_member", args=[record.pk])

    client.post(url)
    assert MerchantMember.objects.filter(pk=record.pk).exists()
    client.post(url, {"sure": "on"})

    assert bob.get(MEMBERS).status_code == 302
    assert "bob@example.com" not in text_of(client.get(MEMBERS))


def test_owner_is_told_which_keys_of_somebody_removed_still_work(
    client: Client, shop: Merchant
) -> None:
    bob = visit(shop, Role.DEVELOPER, "bob@example.com")
    for name in ("till", "web shop"):
        bob.post(KEYS, WISH | {"name": name, "scopes": ["payments:read"]})
    revoked = ApiKey.objects.get(name="web shop")
    bob.post(reverse("portal:revoke_key", args=[revoked.public_id]), {"sure": "on"})
    client.post(KEYS, WISH | {"name": "of the owner"})
    record = shop.members.get(user__username="bob@example.com")

    answer = client.post(
        reverse("portal:remove_member", args=[record.pk]), {"sure": "on"}, follow=True
    )

    assert "API keys that bob@example.com made still work: till." in text_of(answer)


def test_last_owner_stays(client: Client, shop: Merchant) -> None:
    ann = shop.members.get()

    removal = client.post(reverse("portal:remove_member", args=[ann.pk]), {"sure": "on"})
    demotion = client.post(reverse("portal:member_role", args=[ann.pk]), {"role": "viewer"})

    assert (removal.status_code, demotion.status_code) == (409, 409)
    assert "needs an owner" in text_of(removal)
    assert shop.members.get().role == Role.OWNER
