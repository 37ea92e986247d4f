"""`manage.py services`, commands that hold the servers they need, and URLs that replace one."""

import pytest

from config import embedded
from tests.support.embedded import Instance, status_of


def test_up_keeps_the_servers_until_down(instance: Instance) -> None:
    instance.do("up")
    pids = instance.running_pids()

    visitor = instance.hold()
    assert visitor.leave() == ""
    assert instance.running_pids() >= visitor.pids
    assert pids >= visitor.pids

    assert instance.do("down") == "True"
    assert instance.running_pids() == set()


def test_down_leaves_the_servers_to_who_still_needs_them(instance: Instance) -> None:
    holder = instance.hold()

    assert instance.do("down") == "False"
    assert holder.query("SELECT 1") == [(1,)]

    holder.leave()
    assert instance.running_pids() == set()


def test_a_url_replaces_a_server(instance: Instance) -> None:
    holder = instance.hold(DATABASE_URL="postgresql://elsewhere/tieout")

    assert list(holder.servers) == ["Valkey 9"]
    holder.leave()
    assert not (instance.places.servers / "postgres").exists()


def test_production_never_gets_embedded_servers(instance: Instance) -> None:
    holder = instance.hold(TIEOUT_ENV="production")

    assert holder.servers == {}
    assert not instance.data.exists()
    holder.leave()


def test_asking_and_importing_start_nothing(instance: Instance) -> None:
    status = status_of(instance)

    assert not status.is_running
    assert not instance.data.exists()


@pytest.mark.parametrize(
    ("command", "holds"),
    [
        ("", False),
        ("help", False),
        ("migrate --help", False),
        ("services up", False),
        ("check", False),
        ("spectacular", False),
        ("check --deploy", True),
        ("migrate", True),
        ("run", True),
    ],
)
def test_commands_hold_the_servers_they_need(
    command: str, holds: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", "")
    assert embedded._needs_servers(["manage.py", *command.split()]) is holds
