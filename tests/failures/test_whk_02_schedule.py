"""WHK-02: tries follow the schedule of Standard Webhooks, and what a receiver asks for."""

from datetime import timedelta

import pytest
from django.utils import timezone

from payments.models import WebhookAttempt, WebhookDelivery
from payments.services import webhook_outcomes
from payments.services.webhook_deliveries import deliver_webhooks
from tests.factories import MerchantFactory
from tests.support.deliveries import Clock
from tests.support.receivers import (
    Receiver,
    answer,
    happen,
    listening,
)

SPEC_SECONDS = [0, 5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400]


def deliver_at_each_due_time(delivery: WebhookDelivery, clock: Clock) -> list[timedelta]:
    """Between the attempts, until it is over."""
    waits = []
    deliver_webhooks()
    delivery.refresh_from_db()
    while delivery.due_at:
        waits.append(delivery.due_at - clock.at)
        clock.at = delivery.due_at - timedelta(milliseconds=1)
        assert deliver_webhooks() == 0
        clock.at = delivery.due_at
        assert deliver_webhooks() == 1
        delivery.refresh_from_db()
    return waits


def test_whk_02_nine_failures_and_a_success_follow_the_schedule(
    shop: Receiver, clock: Clock
) -> None:
    shop.scripts = [answer(500, b"not yet")] * 9
    endpoint, _ = listening(MerchantFactory(), shop.url)
    (event,) = happen(endpoint.merchant)
    (delivery,) = event.deliveries.all()

    waits = deliver_at_each_due_time(delivery, clock)

    assert delivery.status == "DELIVERED"
    assert delivery.tries == 10
    assert shop.ids() == [event.public_id] * 10
    for wait, seconds in zip(waits, SPEC_SECONDS[1:], strict=True):
        assert abs(wait.total_seconds() - seconds) <= seconds * 0.2
    assert timedelta(hours=72) < sum(waits, timedelta()) < timedelta(hours=80)
    attempts = list(WebhookAttempt.objects.values_list("number", "status_code", "error", "answer"))
    assert attempts == [
        *((number, 500, "status", "not yet") for number in range(1, 10)),
        (10, 200, "", ""),
    ]


def test_whk_02_ten_failures_are_the_end(shop: Receiver, clock: Clock) -> None:
    shop.script = answer(500)
    endpoint, _ = listening(MerchantFactory(), shop.url)
    (event,) = happen(endpoint.merchant)
    (delivery,) = event.deliveries.all()

    deliver_at_each_due_time(delivery, clock)

    assert (delivery.status, delivery.tries, delivery.due_at) == ("FAILED", 10, None)
    endpoint.refresh_from_db()
    assert endpoint.status == "ENABLED"  # one event is no proof


@pytest.mark.parametrize("number", range(40))
def test_whk_02_jitter_never_gives_up_before_72_hours(number: int) -> None:
    row, now = WebhookDelivery(public_id=f"wd_{number}"), timezone.now()
    total = timedelta()
    for tries in range(1, 10):
        row.tries = tries
        at = webhook_outcomes.next_try_at(row, now=now)
        assert at is not None
        assert at == webhook_outcomes.next_try_at(row, now=now)
        total += at - now

    assert timedelta(hours=72) < total < timedelta(hours=80)


@pytest.mark.parametrize(
    ("status", "said", "seconds"),
    [
        (429, "3600", 3_600),
        (503, "3600", 3_600),
        (500, "999999999999999", 24 * 3_600),
        (503, "Thu, 01 Jan 2099 00:00:00 GMT", 24 * 3_600),
        (503, "Thu, 01 Jan 2015 00:00:00 GMT", 6),
        (429, "soon", 6),
        (429, "-5", 6),
        (429, "٣٦٠٠", 6),
        (429, "1", 6),  # the schedule is longer
    ],
)
def test_whk_02_retry_after_is_honoured_up_to_a_day(
    shop: Receiver, clock: Clock, status: int, said: str, seconds: int
) -> None:
    shop.script = answer(status, retry_after=said)
    endpoint, _ = listening(MerchantFactory(), shop.url)
    happen(endpoint.merchant)

    deliver_webhooks()

    due_at = WebhookDelivery.objects.get().due_at
    assert due_at is not None
    wait = (due_at - clock.at).total_seconds()
    assert wait == seconds if seconds > 6 else 4 <= wait <= seconds
