"""Fixtures to work with the rights that the application has in production."""

from collections.abc import Iterator

import pytest
from django.conf import settings
from django.db import connection

from tests.support.compose import APPLICATION, drop_application_role, new_dotenv, run_grants


@pytest.fixture(scope="module")
def granted(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The test database after the service `grants` of docker-compose.yml has run."""
    name = settings.DATABASES["default"]["TEST"]["NAME"]
    run_grants(name, new_dotenv(), tmp_path_factory.mktemp("configs"))
    yield
    drop_application_role(name)


@pytest.fixture
def as_application(granted: None, db: None) -> Iterator[None]:
    """From here on the connection is one of the application, by its own name."""
    with connection.cursor() as cursor:
        cursor.execute(f"SET SESSION AUTHORIZATION {APPLICATION}")
        yield
        cursor.execute("RESET SESSION AUTHORIZATION")
