"""What PagesMiddleware does in Django's place: none of a middleware's hooks gets lost."""

from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.urls import NoReverseMatch, reverse
from django.utils.module_loading import import_string

from tests.support.back_office import PASSWORD, person
from tests.support.permission_table import ACTIONS

HOOKS_IT_DOES_NOT_CALL = ("process_exception", "process_template_response")


@pytest.mark.parametrize("path", settings.PAGES_MIDDLEWARE)
def test_no_middleware_of_pages_has_a_hook_that_is_not_called(path: str) -> None:
    middleware = import_string(path)

    assert [hook for hook in HOOKS_IT_DOES_NOT_CALL if hasattr(middleware, hook)] == []


@pytest.fixture
def root(db: None) -> Client:
    client = Client(enforce_csrf_checks=True)
    client.force_login(person("root@example.com", is_superuser=True))
    return client


@pytest.mark.parametrize("name", sorted(name for name in ACTIONS if "_" in name))
def test_no_step_is_taken_by_a_form_of_another_site(root: Client, name: str) -> None:
    response = root.post(_url_of(name), {"reason": "A form of somebody else's."})

    assert response.status_code == 403
    assert "CSRF" in response.content.decode()


def test_nobody_signs_in_by_a_form_of_another_site(db: None) -> None:
    person("root@example.com")
    form = {"username": "root@example.com", "password": PASSWORD}
    client = Client(enforce_csrf_checks=True)

    assert client.post(reverse("admin:login"), form).status_code == 403
    assert not client.session.keys()


def _url_of(name: str) -> str:
    tried: list[Any] = [[], ["1"], ["resolve"], ["1", "csv"]]
    for arguments in tried:
        for prefix in ("admin:", ""):
            try:
                return reverse(f"{prefix}{name}", args=arguments)
            except NoReverseMatch:
                continue
    raise AssertionError(name)
