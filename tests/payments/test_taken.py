"""Payments counted by the day they were taken on, in parts that Redis may keep."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from payments import cache
from payments.models import Payment
from payments.taken import count_taken, first_id, taken_on
from tests.factories import AuthorizedPaymentFactory, PaymentFactory, SucceededPaymentFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_redis")]

NOW = datetime(2026, 3, 19, 15, 30, tzinfo=settings.PLATFORM_ZONE)
DAY = NOW.date()
KEYS = "tieout:taken:*"


def taken_at(payment: Payment, moment: datetime) -> None:
    """As if it had been taken then: its public id begins with that moment."""
    public_id = first_id(moment) + payment.public_id[len("pay_") + 12 :]
    Payment.objects.filter(pk=payment.pk).update(public_id=public_id)


def counted(now: datetime = NOW) -> dict[str, int]:
    return dict(count_taken([DAY], now=now)[DAY])


def kept() -> int:
    found: Any = cache.ask(lambda client: list(client.scan_iter(match=KEYS)))
    return len(found)


def test_payment_belongs_to_the_day_its_id_was_made_on() -> None:
    begin = NOW.replace(hour=0, minute=0)
    for moment in (begin - timedelta(milliseconds=1), begin, NOW, begin + timedelta(days=1)):
        taken_at(PaymentFactory(), moment)

    assert counted() == {"PENDING": 2}
    assert Payment.objects.filter(taken_on(DAY, DAY)).count() == 2


def test_history_of_another_system_was_not_taken_here() -> None:
    payment = SucceededPaymentFactory()
    taken_at(payment, NOW)
    Payment.objects.filter(pk=payment.pk).update(source="imported")

    assert counted() == {}
    assert not Payment.objects.filter(taken_on(DAY, DAY)).exists()


def test_parts_that_are_over_are_counted_once() -> None:
    taken_at(SucceededPaymentFactory(), NOW - timedelta(hours=5))
    taken_at(SucceededPaymentFactory(), NOW - timedelta(minutes=20))
    first = counted()

    with CaptureQueriesContext(connection) as asked:
        again = counted()
    assert first == again == {"SUCCEEDED": 2}
    (query,) = asked
    assert first_id(NOW - timedelta(minutes=20))[:12] not in query["sql"]
    # 15 hours, and the minutes of the 16th that are over for as long as a row may take.
    assert kept() == 15 + 28


def test_part_with_an_open_payment_is_counted_again() -> None:
    payment = AuthorizedPaymentFactory()
    taken_at(payment, NOW - timedelta(hours=5))
    assert counted() == {"AUTHORIZED": 1}

    Payment.objects.filter(pk=payment.pk).update(status="EXPIRED", due_at=None)
    assert counted() == {"EXPIRED": 1}


def test_days_to_come_have_none_and_no_cache_is_needed(settings: Any) -> None:
    settings.REDIS_URL = "unix:///nowhere.sock"
    taken_at(SucceededPaymentFactory(), timezone.now())
    today = timezone.localdate(timezone=settings.PLATFORM_ZONE)
    tomorrow = today + timedelta(days=1)

    counts = count_taken([today, tomorrow], now=timezone.now())
    assert (counts[today], counts[tomorrow]) == ({"SUCCEEDED": 1}, {})
