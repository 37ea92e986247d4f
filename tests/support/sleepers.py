"""A worker that sleeps at its gateway until the test wakes it."""

import sys
from collections.abc import Sequence

from django.db import connection

from payments import gateways, work
from payments.gateways.base import GatewayRequest, Outcome
from payments.gateways.simulator import Simulator
from payments.services.processing import process_payments


class Sleeper(Simulator):
    """The simulator; who asks it is answered when the test says a line."""

    def perform(self, requests: Sequence[GatewayRequest]) -> list[Outcome]:
        outcomes = super().perform(requests)
        with connection.cursor() as cursor:  # what was written so far is counted by now
            cursor.execute("SELECT pg_stat_force_next_flush()")
        print("asleep", flush=True)
        sys.stdin.readline()
        return outcomes


def work_once(lease_seconds: int) -> None:
    """Process one batch of payments, with a nap."""
    work.LEASE_SECONDS = lease_seconds
    gateways.adapter_for = lambda record: Sleeper(record.code)
    print("took", process_payments(), flush=True)
