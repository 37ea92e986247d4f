"""Whatever happens to a byte of a report, its parser refuses the file and does nothing else."""

import contextlib
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciliation.importers import FORMATS, ImportRefused, ParsedLine, recognise
from tests.reconciliation.importers.processor_reports import SAMPLES

EDITS = st.lists(
    st.tuples(
        st.integers(0, 10_000),
        st.integers(0, 40),
        st.sampled_from([b"", b"\0", b'"', b"\xff", b",", b"\n", b"<", b"9", b"-", b"\xe2\x88\x92"])
        | st.binary(max_size=6),
    ),
    min_size=1,
    max_size=4,
)


def edited(data: bytes, edits: list[tuple[int, int, bytes]]) -> bytes:
    for place, count, put in edits:
        at = place % (len(data) + 1)
        data = data[:at] + put + data[at + count :]
    return data


@pytest.mark.parametrize("code", SAMPLES)
@given(edits=EDITS)
@settings(max_examples=120, deadline=None)
def test_an_edited_report_is_read_or_refused(
    code: str, edits: list[tuple[int, int, bytes]]
) -> None:
    data = edited(SAMPLES[code], edits)
    with contextlib.suppress(ImportRefused):
        for record in FORMATS[code](io.BytesIO(data), {}):
            if isinstance(record, ParsedLine):
                assert record.gross - record.fee == record.net
    with contextlib.suppress(ImportRefused):
        recognise(io.BytesIO(data))
