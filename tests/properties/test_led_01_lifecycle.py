"""LED-01: whatever is done to the ledger in whatever order, no law of the books is ever broken.

`LEDGER_LIFECYCLE_EXAMPLES` makes it longer; a failure prints the steps that lead to it.
"""

import os

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.properties.lifecycle.entries import EntryRules
from tests.properties.lifecycle.holds import HoldRules
from tests.properties.lifecycle.payments import PaymentRules
from tests.properties.lifecycle.periods import PeriodRules

EXAMPLES = int(os.environ.get("LEDGER_LIFECYCLE_EXAMPLES", "40"))
STEPS_PER_EXAMPLE = 40


class LedgerLifecycle(EntryRules, HoldRules, PaymentRules, PeriodRules):
    """The rules of every noun, in any order."""


@pytest.mark.django_db
def test_led_01_no_order_of_events_breaks_a_law_of_the_books() -> None:
    run_state_machine_as_test(
        LedgerLifecycle,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS_PER_EXAMPLE,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
