"""Python's search for objects that only refer to one another."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

# So many more objects have to be there before the next search; by default it is 700.
OBJECTS_BETWEEN_SEARCHES = 100_000


@contextmanager
def rarely_searched() -> Iterator[None]:
    """For what makes millions of objects that are freed as soon as nobody refers to them: going
    through the whole program each time enough were made is a good part of the work then.
    """
    before = gc.get_threshold()
    gc.set_threshold(OBJECTS_BETWEEN_SEARCHES, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
