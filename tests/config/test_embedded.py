"""The embedded servers as processes see them: shared, durable, and gone with the last user.

Every test runs holders as real processes on a data directory of its own and looks at the process
table afterwards.
"""

import os
import pwd
import shutil
import signal
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import environ
import pytest
from kombu import Connection
from redis.connection import parse_url

from config import embedded
from config.embedded.places import CHECKOUT, find_places
from tests.config.embedded_instance import Instance, wait_for

IS_ROOT = os.geteuid() == 0
IS_OPEN = all(folder.stat().st_mode & stat.S_IXOTH for folder in (CHECKOUT, *CHECKOUT.parents))
needs_root = pytest.mark.skipif(not IS_ROOT, reason="Only root can act for other users.")


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder other users may pass through, unlike pytest's own temporary ones."""
    made = Path(tempfile.mkdtemp(prefix="tieout-test-")).resolve()
    made.chmod(0o711)
    yield made
    shutil.rmtree(made)


@pytest.fixture
def instance(folder: Path) -> Iterator[Instance]:
    made = Instance(folder / "data")
    yield made
    made.destroy()


def test_servers_answer_inside_and_are_gone_after(instance: Instance) -> None:
    holder = instance.hold()

    assert holder.query("SELECT current_database(), current_user") == [("tieout", "postgres")]
    assert holder.redis().ping()
    assert holder.pids <= instance.running_pids()

    said = holder.leave()
    assert [line.split(" in ")[0] for line in said.splitlines()[-2:]] == [
        "tieout: starting PostgreSQL 18",
        "tieout: starting Valkey 9",
    ]
    assert instance.running_pids() == set()


def test_database_keeps_what_it_promised(instance: Instance) -> None:
    """Durable on disk, sorted alike everywhere, and no TCP port opened by either server."""
    holder = instance.hold()

    shown = {
        name: holder.query(f"SHOW {name}")[0][0]
        for name in ("fsync", "synchronous_commit", "data_checksums", "listen_addresses")
    }
    provider = holder.query("SELECT datlocprovider, datlocale FROM pg_database LIMIT 1")
    valkey = holder.redis().config_get("*")

    assert shown == {
        "fsync": "on",
        "synchronous_commit": "on",
        "data_checksums": "on",
        "listen_addresses": "",
    }
    assert provider == [("b", "C.UTF-8")]
    assert (valkey["port"], valkey["appendonly"], valkey["appendfsync"], valkey["save"]) == (
        "0",
        "yes",
        "everysec",
        "",
    )


def test_two_instances_run_side_by_side(folder: Path, instance: Instance) -> None:
    other = Instance(folder / "other")
    try:
        here, there = instance.hold(), other.hold()
        here.query("CREATE TABLE only_here ()")

        assert here.pids.isdisjoint(there.pids)
        assert there.query("SELECT to_regclass('only_here')") == [(None,)]

        here.leave()
        assert instance.running_pids() == set()
        assert there.redis().ping()
    finally:
        other.destroy()


def test_last_one_out_stops_the_servers(instance: Instance) -> None:
    first, second = instance.begin_holding(), instance.begin_holding()
    first.wait_until_up()
    second.wait_until_up()
    assert first.pids == second.pids

    first.leave()
    assert second.query("SELECT 1") == [(1,)]
    assert second.redis().ping()

    second.leave()
    assert instance.running_pids() == set()


def test_servers_of_a_killed_holder_are_adopted_and_stopped(instance: Instance) -> None:
    killed = instance.hold()
    killed.kill()
    assert killed.pids <= instance.running_pids()

    heir = instance.hold()
    assert heir.pids == killed.pids

    assert heir.leave() == ""
    assert instance.running_pids() == set()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_signal_ends_the_holder_and_then_the_servers(
    instance: Instance, number: signal.Signals
) -> None:
    holder = instance.hold()

    code = holder.end_by(number)

    assert code != 0
    assert instance.running_pids() == set()
    assert "database system is shut down" in (instance.places.servers / "postgres.log").read_text()


def test_killed_servers_lose_nothing_that_was_committed(instance: Instance) -> None:
    holder = instance.hold()
    holder.query("CREATE TABLE paid (id int)")
    for number in range(20):
        holder.query(f"INSERT INTO paid VALUES ({number})")
    holder.redis().rpush("queue", *range(20))
    os.kill(holder.postgres_pid, signal.SIGKILL)
    os.kill(holder.valkey_pid, signal.SIGKILL)

    heir = instance.hold()

    assert heir.pids.isdisjoint(holder.pids)
    assert heir.query("SELECT count(*) FROM paid") == [(20,)]
    assert heir.redis().llen("queue") == 20
    holder.leave()
    assert heir.query("SELECT 1") == [(1,)]
    heir.leave()
    assert instance.running_pids() == set()


def test_pid_files_that_name_a_stranger_are_stale(instance: Instance) -> None:
    """After a reboot the pids in the files belong to somebody else, who must not be harmed."""
    instance.hold().leave()
    # A process of the servers' own user is the one PostgreSQL itself would take for a postmaster.
    stranger = subprocess.Popen(["sleep", "60"], user="nobody" if IS_ROOT else None)
    try:
        pid_file = instance.places.servers / "postgres" / "postmaster.pid"
        pid_file.write_text(f"{stranger.pid}\n{pid_file.parent}\n0\n5432\n")
        (instance.places.servers / "valkey.pid").write_text(f"{stranger.pid}\n")

        assert all(server.pid is None for server in status_of(instance).servers)
        instance.hold().leave()

        assert stranger.poll() is None
        assert instance.running_pids() == set()
    finally:
        stranger.kill()
        stranger.wait()


def test_initdb_that_was_cut_short_is_begun_again(instance: Instance) -> None:
    cut_short = instance.begin_holding()
    wait_for(lambda: any(instance.places.servers.glob("postgres.new.*/*")))
    cut_short.kill()
    assert not (instance.places.servers / "postgres").exists()

    heir = instance.hold()

    assert heir.query("SELECT 1") == [(1,)]
    heir.leave()
    assert instance.running_pids() == set()


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


def status_of(instance: Instance) -> embedded.Status:
    with pytest.MonkeyPatch.context() as patch:
        for name in ("DATABASE_URL", "REDIS_URL", "TIEOUT_ENV"):
            patch.delenv(name, raising=False)
        patch.setenv("TIEOUT_DATA_DIR", str(instance.data))
        return embedded.status()
