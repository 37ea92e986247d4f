"""A transaction whose BEGIN and COMMIT travel with its first and its last statement."""

from types import TracebackType
from typing import Any, Self

import psycopg
from django.db import DEFAULT_DB_ALIAS, connection, connections

from ledger.sql import Parameters, bind, is_large, statement, texts_kept

OUTERMOST = "BEGIN", "COMMIT", "ROLLBACK"
NESTED = "SAVEPOINT short", "RELEASE short", "ROLLBACK TO short; RELEASE short"


class ShortTransaction:
    """Inside another transaction it is a savepoint of that one, as `transaction.atomic` is.

    Unlike there, Django knows nothing of it: `atomic` and `on_commit` have no place inside.
    """

    def __init__(self) -> None:
        database = connections[DEFAULT_DB_ALIAS]  # looked up once: `connection` does each time
        database.close_if_health_check_failed()
        self._is_outermost = database.get_autocommit()
        self._driver = database.connection
        self._begin, self._commit, self._undo = OUTERMOST if self._is_outermost else NESTED
        self._is_begun = self._is_over = False

    def only(self, app: str, name: str, **params: Any) -> tuple[Any, ...]:
        """Run a statement that gives one row of text, and nothing else, and commit it.

        Only for statements whose plan does not depend on how full the tables are: it is kept.
        """
        if self._is_outermost:
            rows = texts_kept(app, name, **params)
        else:
            self._is_begun = True
            rows = self._run(
                statement(app, name), bind(params), before=self._begin, after=self._commit
            ).fetchall()
            self._is_over = True
        (row,) = rows
        return row

    def begin(self) -> None:
        """For statements that are sent by other means."""
        with connection.wrap_database_errors:
            self._command(self._begin)
        self._is_begun = True

    def row(self, app: str, name: str, **params: Any) -> tuple[Any, ...]:
        """Run a statement that gives one row; the first one begins the transaction."""
        begin = "" if self._is_begun else self._begin
        self._is_begun = True
        cursor = self._run(statement(app, name), bind(params), before=begin)
        (row,) = cursor.fetchall()
        return row

    def finish(self, app: str, name: str, **params: Any) -> None:
        """Run the last statement and, if it succeeds, commit.

        Whoever is interrupted here does not know whether it did; idempotency keys tell.
        """
        self._run(statement(app, name), bind(params), after=self._commit)
        self._is_over = True

    def _run(
        self, text: str, params: Parameters, *, before: str = "", after: str = ""
    ) -> psycopg.Cursor[tuple[Any, ...]]:
        with connection.wrap_database_errors:
            if is_large(params):
                self._command(before)
                cursor = psycopg.Cursor(self._driver).execute(text, params, prepare=False)
                self._command(after)
                return cursor
            comment, _, body = text.partition("\n")
            cursor = psycopg.ClientCursor(self._driver)
            cursor.execute(f"{comment}\n{before};{body};{after}", params)
            if before:
                cursor.nextset()
            return cursor

    def _command(self, text: str) -> None:
        if text:
            psycopg.ClientCursor(self._driver).execute(text)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if not self._is_begun or self._is_over:
            return
        if kind is not None:
            self._roll_back()
            return
        try:
            with connection.wrap_database_errors:
                self._command(self._commit)
        except BaseException:
            self._roll_back()
            raise

    def _roll_back(self) -> None:
        try:
            self._command(self._undo)
        except psycopg.Error:
            # It never came to be, or the connection is lost: as `atomic` does.
            if self._is_outermost:
                connection.close()
            else:
                connection.needs_rollback = True
