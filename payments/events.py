"""Business facts, told in the transaction that makes them true."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rest_framework.utils.encoders import JSONEncoder

from ledger import sql
from payments.models.events import event_id

_encode = JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that happened to the object with the public id `subject`.

    `data` is the API's own representation of it at this moment.
    """

    type: str
    subject: str
    merchant_id: int | None
    data: dict[str, Any]


def tell(facts: Sequence[Fact], *, at: datetime) -> None:
    """Write one event per fact. The caller holds the locks of their subjects."""
    if not facts:
        return
    sql.execute(
        "payments",
        "write_events",
        public_ids=[event_id() for _ in facts],
        merchant_ids=[fact.merchant_id for fact in facts],
        types=[fact.type for fact in facts],
        subjects=[fact.subject for fact in facts],
        data=[_encode(fact.data) for fact in facts],
        at=at,
    )
