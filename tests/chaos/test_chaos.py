"""A short chaos: five faults in three rounds, on a platform of its own."""

import os
import re
import subprocess
import sys

import psutil

from config.embedded.places import CHECKOUT

SEED = "5"
FAULTS = [
    "worker_killed+gateway_answers_twice",
    "postgres_immediate+valkey_killed",
    "same_key_at_once",
]


def test_platform_survives_a_short_chaos_and_leaves_nothing_running() -> None:
    options = ["--seconds", "0", "--seed", SEED, "--pace", "3", "--faults", ",".join(FAULTS)]
    done = subprocess.run(
        [sys.executable, "-m", "tests.chaos", *options],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
    )

    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    for fault in FAULTS:
        row = rf"\| {re.escape(fault)} \| 1 \| [0-9]+ \| [0-9.]+ s \| ok \| ok \| ok \| ok \|"
        assert re.search(row, done.stdout), said
    assert f"seed {SEED}: 3 rounds of 3 faults" in done.stdout
    (folder,) = set(re.findall(r"/\S*/tieout-chaos-[^/]+", done.stderr))
    assert not os.path.exists(folder)
    assert not [
        process.pid
        for process in psutil.process_iter(["cmdline"])
        if any(folder in part for part in process.info["cmdline"] or ())
    ]
