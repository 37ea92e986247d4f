"""Servers of a checkout: up while somebody holds them; whoever is killed loses nothing."""

import os
import signal
import subprocess
from pathlib import Path

import pytest

from tests.support.embedded import IS_ROOT, Instance, status_of, wait_for


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
