"""The lines of a text file as they stand there, by number; and the file with others in their place.

A file of lines is anything but XML and OFX: there, the number of a line counts entries.
"""

import io
import tempfile
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import BinaryIO

from reconciliation.importers.csv_table import encoding_of, open_text
from reconciliation.importers.ofx_tokens import is_ofx
from reconciliation.importers.records import RAW_CHARS_MAX, ImportRefused

LINE_ENDS = "\r\n"
HEAD_BYTES = 4096


def is_of_lines(head: bytes) -> bool:
    """Whether the numbers of lines are places in the text, in a file that begins with `head`."""
    head = head.lstrip(b"\xef\xbb\xbf\xff\xfe").replace(b"\0", b"").lstrip()
    return not head.startswith(b"<") and not is_ofx(head)


def raw_lines(file: BinaryIO, wanted: Collection[int], *, encoding: str) -> dict[int, str]:
    """These lines, without their ends."""
    last = max(wanted, default=0)
    found = {}
    with open_text(file, encoding_of(file, encoding)) as text:
        for number, line in enumerate(text, start=1):
            if number in wanted:
                found[number] = line.rstrip(LINE_ENDS)[:RAW_CHARS_MAX]
            if number >= last:
                break
    return found


@contextmanager
def with_lines_replaced(
    file: BinaryIO, replaced: Mapping[int, tuple[str, str]], *, encoding: str
) -> Iterator[BinaryIO]:
    """A copy of the file in which, from these lines on, one text stands in place of another.

    Both have as many lines, so that every other line keeps its number. Refuses `not_correctable`
    if the text to be replaced is not what stands there.
    """
    codec = encoding_of(file, encoding)
    with tempfile.TemporaryFile() as copy:
        writer = io.TextIOWrapper(copy, encoding=codec, newline="")
        try:
            with open_text(file, codec) as text:
                for line in _replaced(text, replaced):
                    writer.write(line)
            writer.flush()
        except UnicodeEncodeError as error:
            message = f"the file is {codec} text, which has no {error.object[error.start]!r}"
            raise ImportRefused("not_correctable", message) from error
        finally:
            writer.detach()
        copy.seek(0)
        yield copy


def _replaced(text: Iterator[str], replaced: Mapping[int, tuple[str, str]]) -> Iterator[str]:
    for number, line in enumerate(text, start=1):
        if number not in replaced:
            yield line
            continue
        # A row may go on over several lines.
        before, after = replaced[number]
        count = len(before.splitlines())
        stands = [line, *(next(text, "") for _ in range(count - 1))]
        if "".join(stands).rstrip(LINE_ENDS) != before.rstrip(LINE_ENDS):
            raise ImportRefused("not_correctable", f"line {number} is not kept as it stands there")
        end = "".join(stands)[len(before.rstrip(LINE_ENDS)) :]
        yield after.rstrip(LINE_ENDS) + end
