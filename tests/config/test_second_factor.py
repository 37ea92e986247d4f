"""The second factor: asked of everybody, enrolled once, fresh for what matters, reset by others."""

import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django_otp.plugins.otp_static.models import StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

from config.people.roles import Role
from config.people.second_factor import PASSED_AT, OwnSecondFactor, as_text, reset_second_factor
from ledger.actors import Actor
from ledger.models import AuditEvent
from settlements.models import Adjustment, Payout
from settlements.services.adjustments import request_adjustment
from settlements.services.batches import run_settlement
from tests.factories import MerchantFactory, SucceededPaymentFactory, eur
from tests.support.back_office import PASSWORD, code_of, enrolled, older_by, person, sign_in

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("asked_for")]

PAYMENTS = reverse("admin:payments_payment_changelist")
VERIFY = reverse("admin:second_factor_verify")
ENROL = reverse("admin:second_factor_enrol")
CODES = reverse("admin:second_factor_recovery-codes")
BOSS = Actor("user", "0", "boss@example.com")


@pytest.fixture
def asked_for(settings: Any) -> None:
    settings.SECOND_FACTOR_REQUIRED = True
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def ann() -> User:
    return person("ann@example.com", Role.CHECKER)


@pytest.fixture
def phone(ann: User) -> TOTPDevice:
    return enrolled(ann)


def is_in(client: Client) -> bool:
    return client.get(PAYMENTS).status_code == 200


def signed_in(phone: TOTPDevice) -> Client:
    client = sign_in(phone.user.username)
    assert client.post(VERIFY, {"code": code_of(phone)}).status_code == 302
    return client


def shown_codes(page: Any) -> list[str]:
    return re.findall(r"<li>([\w-]+)</li>", page.content.decode())


def test_the_password_alone_opens_nothing(phone: TOTPDevice) -> None:
    client = Client()
    answer = client.post(
        f"{reverse('admin:login')}?next={PAYMENTS}",
        {"username": "ann@example.com", "password": PASSWORD},
    )

    assert answer["Location"].startswith(VERIFY)
    assert not is_in(client)
    assert client.get(reverse("admin:password_change")).status_code == 302
    assert client.post(answer["Location"], {"code": code_of(phone)})["Location"] == PAYMENTS
    assert is_in(client)


def test_a_superuser_is_asked_as_well() -> None:
    root = person("root@example.com", is_superuser=True)
    client = Client()
    client.force_login(root)

    assert not is_in(client)


def test_a_code_counts_once(phone: TOTPDevice) -> None:
    code = code_of(phone)
    first, second = sign_in("ann@example.com"), sign_in("ann@example.com")
    first.post(VERIFY, {"code": code})
    refused = second.post(VERIFY, {"code": code})

    assert is_in(first)
    assert not is_in(second)
    assert "wrong, too old or used already" in refused.content.decode()


def test_after_ten_wrong_codes_the_right_one_is_refused(phone: TOTPDevice) -> None:
    client = sign_in("ann@example.com")
    for _ in range(10):
        client.post(VERIFY, {"code": "000000"})
    # Giving the password again forgets no wrong codes.
    client = sign_in("ann@example.com")

    refused = client.post(VERIFY, {"code": code_of(phone)})

    assert "Too many wrong codes" in refused.content.decode()
    assert not is_in(client)


def test_next_leads_to_no_other_site(phone: TOTPDevice) -> None:
    client = sign_in("ann@example.com")

    answer = client.post(f"{VERIFY}?next=https://evil.example/", {"code": code_of(phone)})

    assert answer["Location"] == reverse("admin:index")


def test_first_sign_in_enrols_a_phone_and_shows_recovery_codes_once(ann: User) -> None:
    client = sign_in("ann@example.com")
    page = client.get(client.get(VERIFY)["Location"]).content.decode()
    phone = TOTPDevice.objects.get(user=ann)

    assert "<svg" in page
    assert as_text(phone) in page
    assert not is_in(client)
    codes = shown_codes(client.post(ENROL, {"code": code_of(phone)}))

    assert is_in(client)
    assert len(codes) == len(set(codes)) == 10
    assert AuditEvent.objects.filter(action="second_factor.enrolled").count() == 1
    assert not StaticToken.objects.filter(token__in=[code.replace("-", "") for code in codes])


def test_an_enrolled_phone_is_replaced_only_after_it_was_shown(phone: TOTPDevice) -> None:
    thief = sign_in("ann@example.com")

    assert thief.get(ENROL)["Location"].startswith(VERIFY)
    assert thief.post(ENROL, {"code": "123456"})["Location"].startswith(VERIFY)
    assert TOTPDevice.objects.get() == phone


def test_another_phone_makes_the_first_one_worthless(ann: User, phone: TOTPDevice) -> None:
    client, other = signed_in(phone), signed_in_later(phone)
    client.get(ENROL)
    new = TOTPDevice.objects.get(user=ann, confirmed=False)
    client.post(ENROL, {"code": code_of(new)})

    assert is_in(client)
    assert not is_in(other)
    assert TOTPDevice.objects.get(user=ann) == new


def signed_in_later(phone: TOTPDevice) -> Client:
    client = sign_in(phone.user.username)
    client.post(VERIFY, {"code": code_of(phone, steps=1)})
    assert is_in(client)
    return client


def test_a_recovery_code_lets_in_once(phone: TOTPDevice) -> None:
    client = signed_in(phone)
    codes = shown_codes(client.post(CODES, {"code": code_of(phone, steps=1)}))

    for expected in (True, False):
        lost = sign_in("ann@example.com")
        lost.post(VERIFY, {"code": codes[0].upper()})
        assert is_in(lost) is expected


def test_new_recovery_codes_make_the_old_ones_worthless(phone: TOTPDevice) -> None:
    client = signed_in(phone)
    old = shown_codes(client.post(CODES, {"code": code_of(phone, steps=1)}))
    new = shown_codes(client.post(CODES, {"code": old[0]}))

    lost = sign_in("ann@example.com")
    lost.post(VERIFY, {"code": old[1]})

    assert not is_in(lost)
    assert not set(old) & set(new)


@pytest.fixture
def asked() -> Adjustment:
    return request_adjustment(MerchantFactory(code="shop"), eur("5.00"), reason="owed", actor=BOSS)


def test_an_approval_needs_a_fresh_code_and_keeps_what_was_typed(
    phone: TOTPDevice, asked: Adjustment
) -> None:
    client = signed_in(phone)
    url = reverse("admin:settlements_adjustment_approve", args=[asked.pk])
    assert "join the next settlement" in client.get(url).content.decode()
    older_by(client, 5 * 60 + 1, PASSED_AT)

    page = client.post(url, {"reason": "I checked <it>."}).content.decode()
    asked.refresh_from_db()
    assert asked.status == "REQUESTED"
    assert 'name="reason" value="I checked &lt;it&gt;."' in page
    form = {"reason": "I checked <it>.", "second_factor_asked_by": "POST"}
    client.post(url, {**form, "second_factor_code": "000000"})
    asked.refresh_from_db()
    assert asked.status == "REQUESTED"
    client.post(url, {**form, "second_factor_code": code_of(phone, steps=1)})

    asked.refresh_from_db()
    assert (asked.status, asked.decided_by) == ("POSTED", "user:ann@example.com")
    event = AuditEvent.objects.get(action="adjustment.approved")
    assert event.reason == "I checked <it>."


def test_opening_an_approval_later_asks_first(phone: TOTPDevice, asked: Adjustment) -> None:
    client = signed_in(phone)
    older_by(client, 5 * 60 + 1, PASSED_AT)
    url = reverse("admin:settlements_adjustment_approve", args=[asked.pk])

    page = client.get(url).content.decode()
    shown = {"second_factor_asked_by": "GET", "second_factor_code": code_of(phone, steps=1)}

    assert "Show that it is you" in page
    assert client.post(url, shown)["Location"] == url
    assert "join the next settlement" in client.get(url).content.decode()


def test_no_form_hides_an_approval_among_other_actions(phone: TOTPDevice) -> None:
    payment = SucceededPaymentFactory(money=eur("100.00"))
    run_settlement(payment.effective_at.date(), actor=BOSS)
    client = signed_in(phone)
    older_by(client, 5 * 60 + 1, PASSED_AT)

    page = client.post(
        reverse("admin:settlements_payout_changelist"),
        {
            "action": ["approve_selected", "another"],
            "index": "0",
            "_selected_action": [Payout.objects.get().pk],
            "reason": "Nobody asks me again.",
        },
    )

    assert "Show that it is you" in page.content.decode()
    assert Payout.objects.get().status == "PENDING_APPROVAL"


def test_a_reset_signs_out_and_is_written_down(ann: User, phone: TOTPDevice) -> None:
    client = signed_in(phone)
    reset_second_factor(ann, actor=BOSS, reason="Lost her phone.")

    assert not is_in(client)
    assert not TOTPDevice.objects.filter(user=ann).exists()
    event = AuditEvent.objects.get(action="second_factor.reset")
    assert (event.actor_label, event.reason) == ("boss@example.com", "Lost her phone.")


def test_nobody_resets_his_own(ann: User, phone: TOTPDevice) -> None:
    with pytest.raises(OwnSecondFactor):
        reset_second_factor(ann, actor=Actor.user(ann), reason="Lost.")

    assert TOTPDevice.objects.get() == phone


def test_command_resets_where_no_other_security_admin_is_left(phone: TOTPDevice) -> None:
    call_command("reset_second_factor", "ann@example.com", reason="The only one, lost her phone.")

    assert not TOTPDevice.objects.exists()
    event = AuditEvent.objects.get(action="second_factor.reset")
    assert (event.actor_kind, event.actor_label) == ("system", "reset_second_factor")
    with pytest.raises(CommandError, match="nobody"):
        call_command("reset_second_factor", "nobody", reason="x")


def test_no_secret_is_in_the_audit_trail(ann: User) -> None:
    client = sign_in("ann@example.com")
    client.get(ENROL)
    phone = TOTPDevice.objects.get()
    code = code_of(phone)
    codes = shown_codes(client.post(ENROL, {"code": code}))
    sign_in("ann@example.com", "a wrong secret")
    lost = sign_in("ann@example.com")
    lost.post(VERIFY, {"code": codes[0]})

    written = " ".join(str(vars(event)) for event in AuditEvent.objects.all())
    secrets = [PASSWORD, "a wrong secret", phone.key, as_text(phone), code, *codes]
    secrets += [each.replace("-", "") for each in codes]
    secrets += list(StaticToken.objects.values_list("token", flat=True))
    secrets += [client.session.session_key or "?", lost.session.session_key or "?"]
    assert [secret for secret in secrets if secret in written] == []


def test_page_that_enrols_shows_another_secret_every_time(ann: User) -> None:
    client = sign_in("ann@example.com")

    client.get(ENROL)
    first = TOTPDevice.objects.get(user=ann).key
    client.get(ENROL)

    assert TOTPDevice.objects.get(user=ann).key != first
