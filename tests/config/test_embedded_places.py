"""Where the servers of a checkout keep their data and sockets, whoever runs them."""

import os
import pwd
import stat
from pathlib import Path

import environ
import pytest
from kombu import Connection
from redis.connection import parse_url

from config import embedded
from config.embedded.places import CHECKOUT, find_places
from tests.support.embedded import IS_ROOT, Instance

IS_OPEN = all(folder.stat().st_mode & stat.S_IXOTH for folder in (CHECKOUT, *CHECKOUT.parents))
needs_root = pytest.mark.skipif(not IS_ROOT, reason="Only root can act for other users.")


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("with spaces, a comma and 100 %#?", id="odd"),
        pytest.param("long-" * 30, id="long"),
    ],
)
def test_any_path_will_do(folder: Path, name: str) -> None:
    instance = Instance(folder / name)
    try:
        holder = instance.hold()

        assert holder.query("SELECT 1") == [(1,)]
        assert holder.redis().ping()
        assert (instance.places.servers / "postgres" / "PG_VERSION").exists()

        holder.leave()
        assert instance.running_pids() == set()
    finally:
        instance.destroy()


@needs_root
def test_root_moves_the_servers_out_of_a_closed_folder(folder: Path) -> None:
    folder.chmod(0o700)
    instance = Instance(folder / "data")
    try:
        holder = instance.hold()
        home = instance.places.home

        assert holder.query("SELECT 1") == [(1,)]
        assert stat.S_IMODE(home.stat().st_mode) == 0o711
        assert stat.S_IMODE(instance.places.servers.stat().st_mode) == 0o700
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700

        said = holder.leave()
        assert said.count(f"so the servers live in {home}") == 1
        assert instance.running_pids() == set()
    finally:
        instance.destroy()


@needs_root
@pytest.mark.skipif(not IS_OPEN, reason="Others cannot reach the checkout.")
def test_ordinary_user_runs_the_servers_itself(folder: Path) -> None:
    nobody = pwd.getpwnam("nobody")
    os.chown(folder, nobody.pw_uid, nobody.pw_gid)
    folder.chmod(0o700)
    instance = Instance(folder / "data")
    try:
        holder = instance.hold(RUN_AS="nobody", HOME=str(folder))

        assert holder.query("SELECT 1") == [(1,)]
        assert instance.data.stat().st_uid == nobody.pw_uid
        assert {Path(f"/proc/{pid}").stat().st_uid for pid in holder.pids} == {nobody.pw_uid}

        said = holder.leave()
        assert "so the servers live in" not in said
        assert instance.running_pids() == set()
    finally:
        instance.destroy()


def test_foreign_directory_in_the_temp_folder_is_refused(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody who guesses the name must not get to plant a server or a program there."""
    monkeypatch.setenv("TIEOUT_DATA_DIR", str(folder / ("long-" * 30)))
    home = find_places().sockets.parent
    home.mkdir()
    home.chmod(0o777)
    try:
        with pytest.raises(embedded.ServersUnavailable, match="was not made by this user"):
            embedded.database_url()
    finally:
        home.rmdir()


def test_urls_mean_the_sockets_to_every_library(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIEOUT_DATA_DIR", str(folder / "a b%41"))
    sockets = str(find_places().sockets)

    database = environ.Env.db_url_config(embedded.database_url())
    cache = parse_url(embedded.redis_url())
    broker = Connection(embedded.redis_url().replace("unix://", "redis+socket://"))

    assert (database["NAME"], database["USER"], database["HOST"]) == ("tieout", "postgres", "")
    assert database["OPTIONS"] == {"host": sockets}
    assert (cache["path"], cache["db"]) == (f"{sockets}/valkey.sock", 0)
    with pytest.raises(Exception, match=f"connecting to {sockets}/valkey.sock"):
        broker.connect()
