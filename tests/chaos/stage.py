"""A platform on the database of the tests, with a Valkey of its own."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from config.invariants import check_invariants
from tests.chaos.platform import Platform
from tests.support.own_names import database_url_of_tests
from tests.support.servers import OwnValkey, wait_for

START_SECONDS_MAX = 90


class Stage(Platform):
    """Its processes see what the test has committed. The Valkey can be stopped and started."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self.valkey = OwnValkey(folder)
        super().__init__(
            folder, database_url=database_url_of_tests(), redis_url=self.valkey.url, **environment
        )

    def open(self, *, workers: int = 1, beats: int = 0, web: bool = True) -> None:
        """Every process of a worker has a heart, and the web server is ready."""
        super().open(workers=workers, beats=beats, web=web)
        children = int(self.environment.get("WORKER_CONCURRENCY", "2"))
        wait_for(lambda: self.hearts() == workers * (1 + children), START_SECONDS_MAX)
        if web:
            wait_for(self.is_ready, START_SECONDS_MAX)

    def hearts(self) -> int:
        """How many processes of workers live."""
        fresh = "SELECT count(*) FROM payments_heartbeat WHERE seen_at > now() - interval '5 s'"
        return int(self.query(fresh)[0][0])

    def is_ready(self) -> bool:
        try:
            answer = httpx.get(f"{self.base_url}/api/v1/ready", timeout=5, trust_env=False)
        except httpx.HTTPError:
            return False
        return answer.status_code == 200

    def start_valkey(self) -> None:
        """A new one in the place of the one that was killed, with nothing in it."""
        self.valkey = OwnValkey(self.folder)

    def close(self) -> None:
        self.valkey.resume()
        self.shut()
        self.valkey.kill()
        self.log.close()


@contextmanager
def stage(**environment: str) -> Iterator[Stage]:
    """Nothing of it is left after the block."""
    folder = Path(tempfile.mkdtemp(prefix="tieout-stage-"))
    built = Stage(folder, **environment)
    try:
        yield built
    except BaseException:
        print((folder / "log").read_text(errors="replace")[-20_000:])
        raise
    finally:
        built.close()
        shutil.rmtree(folder)


def assert_invariants_hold() -> None:
    """All ten, over all there is in the database of the tests."""
    broken = {
        invariant.name: breaches
        for invariant, breaches in check_invariants(is_full=True)
        if breaches
    }
    assert not broken, broken
