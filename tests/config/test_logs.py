"""One event, one line, in both formats; nobody's text can forge one or show a card number."""

import json
import logging
import sys
from typing import Any

import pytest

from config.logs import JsonFormatter, LineFormatter, chosen_formatter, client_request_id
from ledger import actors
from tests.support.chores import Chores, chores, fail_for

CARD = "4111 1111 1111 1111"
LINE = LineFormatter("%(levelname)s %(request_id)s %(message)s")


def record(message: str = "work.batch", *args: object, **extra: Any) -> logging.LogRecord:
    made = logging.LogRecord("payments.engine", logging.INFO, "x.py", 1, message, args, None)
    made.__dict__.update(extra)
    return made


def crash(text: str) -> logging.LogRecord:
    try:
        raise ValueError(text)
    except ValueError:
        made = record("it crashed")
        made.exc_info = sys.exc_info()
        return made


def test_json_has_what_the_event_has() -> None:
    outside = actors.request_id.set("req_1")
    theirs = client_request_id.set("order-7")
    try:
        event = json.loads(
            JsonFormatter().format(record("%s done", "all", queue="payments_payment", rows=3))
        )
    finally:
        actors.request_id.reset(outside)
        client_request_id.reset(theirs)

    moment = event.pop("time")
    assert moment.endswith("Z")
    assert len(moment) == len("2026-11-21T14:44:12.713Z")
    assert event == {
        "level": "INFO",
        "logger": "payments.engine",
        "message": "all done",
        "request_id": "req_1",
        "client_request_id": "order-7",
        "queue": "payments_payment",
        "rows": 3,
    }


def test_fields_follow_the_message_of_a_line() -> None:
    line = LINE.format(record(queue="payments_payment", ids=[1, 2], reason="a b\n", other=object()))

    assert line == r'INFO - work.batch queue=payments_payment ids="[1, 2]" reason="a b\n"'


@pytest.mark.parametrize(
    "text",
    ['\r\n{"level": "fatal"}', '"}\n{', "\x1b[31m \x7f \u2028 \u202e \ud800 \x00", "}\n" * 3],
)
def test_text_cannot_end_its_event(text: str) -> None:
    for made, name in (
        (record(text), "message"),
        (record("x", field=text), "field"),
        (record("x", fields=[text]), "fields"),
        (crash(text), "exception"),
    ):
        line = JsonFormatter().format(made)

        assert line.isascii()
        assert line.isprintable()
        said = json.loads(line)[name]
        assert text in (said[0] if name == "fields" else said)


def test_traceback_is_inside_the_event() -> None:
    event = json.loads(JsonFormatter().format(crash("what it says")))

    assert event["message"] == "it crashed"
    assert event["exception"].startswith("Traceback (most recent call last):\n")
    assert event["exception"].endswith("ValueError: what it says")


def test_card_number_is_nowhere() -> None:
    number = int(CARD.replace(" ", ""))
    for made in (
        record(f"paid with {CARD}"),
        record("paid with %s", number),
        record("paid", card=CARD),
        record("paid", card=number),
        record("paid", cards=[number, CARD]),
        record("paid", **{CARD: 1}),
        crash(CARD),
    ):
        for formatter in (JsonFormatter(), LINE):
            line = formatter.format(made)

            assert "[card number]" in line
            assert "1111" not in line
    assert json.loads(JsonFormatter().format(record("paid", card=number)))


def test_fields_neither_replace_what_every_event_has_nor_break_it() -> None:
    made = record("the message", level="fatal", logger="other", nan=float("nan"), other=object())

    event = json.loads(JsonFormatter().format(made))

    assert (event["level"], event["logger"]) == ("INFO", "payments.engine")
    assert event["nan"] == "nan"
    assert "other" not in event


def test_programs_that_log_before_django_get_the_chosen_format(settings: Any) -> None:
    settings.LOG_FORMAT = "json"
    assert isinstance(chosen_formatter(), JsonFormatter)

    settings.LOG_FORMAT = "line"
    assert isinstance(chosen_formatter(), LineFormatter)


def test_batch_of_work_is_one_line(db: None, caplog: pytest.LogCaptureFixture) -> None:
    first, _, last = chores(3)
    with caplog.at_level(logging.INFO):
        Chores().work_off()

    (said,) = [each for each in caplog.records if each.message == "work.batch"]
    event = json.loads(JsonFormatter().format(said))
    assert event["ms"] >= 0
    assert {
        "level": "INFO",
        "queue": "payments_jobrun",
        "rows": 3,
        "written": 3,
        "first_id": first.pk,
        "last_id": last.pk,
    }.items() <= event.items()


def test_row_that_fails_is_named(db: None, caplog: pytest.LogCaptureFixture) -> None:
    rows = chores(4)
    with caplog.at_level(logging.INFO):
        Chores(before=fail_for("0002")).work_off()

    events = [json.loads(JsonFormatter().format(each)) for each in caplog.records]
    (failure,) = [each for each in events if each["message"].startswith("work.failed")]
    assert (failure["queue"], failure["row_id"]) == ("payments_jobrun", rows[2].pk)
    assert failure["exception"].endswith("ValueError: cannot do 0002")
    (batch,) = [each for each in events if each["message"] == "work.batch"]
    assert (batch["written"], batch["failed"]) == (3, 1)


def test_nothing_to_do_is_not_worth_a_line(db: None, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        assert Chores().work_off() == 0

    assert caplog.records == []
