"""What nobody announced or ended is found: lost rings, retries, rows of workers that died."""

import logging

from payments import doorbell, queues, work
from payments.services.heartbeats import alive_heartbeats, can_judge

logger = logging.getLogger(__name__)


def sweep() -> int:
    """Every bell is rung; rows whose holder fell silent are due now. Returns how many those were.

    Whoever sweeps lives long enough itself to tell dead workers from a database that was away.
    """
    released = 0
    if can_judge():
        alive = alive_heartbeats()
        for queue in queues.every():
            count = work.release_dead(queue.model, alive=alive)
            if count:
                logger.warning("work.released: %d of %s, whose workers died", count, queue.name)
            released += count
    for queue in queues.every():
        doorbell.publish(queue.task)
    return released
