"""How often Python searches for garbage is one setting for all threads of a process."""

import gc
from contextlib import ExitStack

from reconciliation.garbage import OBJECTS_BETWEEN_SEARCHES, rarely_searched


def test_searches_are_as_usual_again_whoever_ends_first():
    usual = gc.get_threshold()
    first, second = ExitStack(), ExitStack()

    first.enter_context(rarely_searched())
    second.enter_context(rarely_searched())
    first.close()
    assert gc.get_threshold()[0] == OBJECTS_BETWEEN_SEARCHES

    second.close()
    assert gc.get_threshold() == usual
