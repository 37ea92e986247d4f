"""House rules of what the database itself runs."""

import pytest

from tests.support.books import query

OTHERWISE = """
SELECT proname FROM pg_proc JOIN pg_language AS language ON language.oid = prolang
WHERE pronamespace = 'public'::regnamespace AND lanname = 'plpgsql'
    AND NOT coalesce(proconfig, '{}') @> ARRAY['search_path=pg_catalog, public, pg_temp']
"""


@pytest.mark.django_db
def test_every_function_looks_names_up_in_public_before_temporary_tables() -> None:
    """Or whoever may create one shows the rules what he likes."""
    assert query(OTHERWISE) == []
