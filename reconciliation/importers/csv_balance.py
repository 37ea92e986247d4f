"""The running balance of an account, printed row by row: checked, and its two ends (§0.3)."""

from decimal import Decimal


class RunningBalance:
    """Fed with every line in file order; knows what was before the lines and what is after them.

    A row may print no balance: it is then told by the next one that does.
    """

    def __init__(self, newest_first: bool) -> None:
        self._newest_first = newest_first
        # The balance between the last row and the next one in the file, once one is known.
        self._running: Decimal | None = None
        self._moved = Decimal(0)
        self._first_end: Decimal | None = None
        self._is_whole = True

    def add(self, net: Decimal, printed: Decimal | None) -> str:
        """Takes a line and the balance printed after it; says how they contradict, else ""."""
        step = -net if self._newest_first else net
        expected = self._expected(step)
        self._moved += step
        if printed is None:
            self._running = None if self._running is None else self._running + step
            return ""
        self._running = printed + step if self._newest_first else printed
        if self._first_end is None and self._is_whole:
            self._first_end = self._running - self._moved
        if expected is None or expected == printed:
            return ""
        return f"the balance is {printed} where the rows before it make {expected}"

    def lose(self) -> None:
        """A row was not read: the next balance printed is not to be held against this one."""
        self._running = None
        self._is_whole = False

    @property
    def ends(self) -> tuple[Decimal | None, Decimal | None]:
        """Opening and closing balance; None each as long as no balance was printed."""
        ends = (self._first_end, self._running)
        return (ends[1], ends[0]) if self._newest_first else ends

    def _expected(self, step: Decimal) -> Decimal | None:
        if self._running is None:
            return None
        return self._running if self._newest_first else self._running + step
