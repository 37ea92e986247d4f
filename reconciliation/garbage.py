"""Python's search for objects that only refer to one another."""

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager

# So many more objects have to be there before the next search; by default it is 700.
OBJECTS_BETWEEN_SEARCHES = 100_000


@contextmanager
def rarely_searched() -> Iterator[None]:
    """For what makes millions of objects that are freed as soon as nobody refers to them: going
    through the whole program each time enough were made is a good part of the work then.
    """
    _Rarely.begin()
    try:
        yield
    finally:
        _Rarely.end()


class _Rarely:
    """The setting is the process's: the first thread makes it, the last one takes it back."""

    lock = threading.Lock()
    wishes = 0
    usual = gc.get_threshold()

    @classmethod
    def begin(cls) -> None:
        with cls.lock:
            if not cls.wishes:
                cls.usual = gc.get_threshold()
                gc.set_threshold(OBJECTS_BETWEEN_SEARCHES, *cls.usual[1:])
            cls.wishes += 1

    @classmethod
    def end(cls) -> None:
        with cls.lock:
            cls.wishes -= 1
            if not cls.wishes:
                gc.set_threshold(*cls.usual)
