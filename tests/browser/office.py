"""A business day with its faults, and the people who see to them, each with a phone."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django_otp.plugins.otp_totp.models import TOTPDevice

from config.demo import day
from config.demo.seed import MARKETS, PASSWORD, seed_demo
from config.people.second_factor import renew_recovery_codes
from ledger.actors import Actor
from ledger.money import Money
from payments.models import Merchant
from payments.services.payments import PaymentWish, create_payment
from payments.services.processing import process_payments, process_refunds
from payments.services.refunds import RefundWish, create_refund
from tests.support.back_office import SIGN_IN, code_of, enrolled

ACTOR = Actor.system("story")
VERIFY = reverse("admin:second_factor_verify")
SOURCES = ("tok_visa", "tok_visa", "tok_visa", "tok_visa", "tok_dispute", "tok_insufficient_funds")


@dataclass(slots=True)
class Office:
    url: str
    day: date
    # Cookies of who signed in before: a code counts once, and a phone shows it for 30 seconds.
    cookies: dict[str, list[dict[str, Any]]]

    def cookies_of(self, who: str) -> list[dict[str, Any]]:
        if who not in self.cookies:
            client = Client()
            client.post(SIGN_IN, {"username": address_of(who), "password": PASSWORD})
            phone = TOTPDevice.objects.get(user__username=address_of(who))
            assert client.post(VERIFY, {"code": code_of(phone)}).status_code == 302
            self.cookies[who] = [
                {"name": name, "value": morsel.value, "url": self.url}
                for name, morsel in client.cookies.items()
            ]
        return self.cookies[who]


def open_office(url: str) -> Office:
    """The demo's day is over: thirty payments, a refund, reports with the faults it plants."""
    seed_demo()
    payments = [
        create_payment(
            Merchant.objects.get(code=code),
            PaymentWish(Money(10_000 + 1_250 * number, currency), source),
            idempotency_key=f"{code}-{currency}-{number}",
            actor=ACTOR,
        )
        for code, currency in MARKETS
        for number, source in enumerate(SOURCES)
    ]
    process_payments()
    half = Money(payments[0].amount // 2, payments[0].currency)
    wish = RefundWish(payments[0].public_id, half)
    create_refund(payments[0], wish, idempotency_key="refund", actor=ACTOR)
    process_refunds()
    evening = day.close(seed=1, say=lambda _: None)
    assert day.unexpected(evening) == []
    for who in ("maker", "checker", "auditor"):
        user = User.objects.get(username=address_of(who))
        enrolled(user)
        renew_recovery_codes(user)
    return Office(url, evening.day, {})


def address_of(who: str) -> str:
    return f"{who}@example.com"
