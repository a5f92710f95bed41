"""A real PostgreSQL of the tests, from the package pgserver: started, killed, and started again.

PostgreSQL does not run as root. Where the tests do, the user `nobody` runs it, and owns its folder.
"""

import atexit
import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import psycopg

PASSWORD = "s3cret-of-the-tests"
SUPERUSER = "postgres"
LIMIT_S = 20.0


class CannotRunError(Exception):
    """There is no server on this machine, for the reason given."""


def _user() -> dict[str, Any]:
    """Who runs it, for `subprocess`."""
    return {"user": "nobody"} if os.geteuid() == 0 else {}


def installed() -> Path:
    """The folder with the server.

    Raises:
        CannotRunError: it is not there, or cannot be run.
    """
    if sys.platform == "win32":
        raise CannotRunError("the tests start the server as one does on Unix")
    spec = importlib.util.find_spec("pgserver")
    if spec is None or spec.origin is None:
        raise CannotRunError("pgserver has no wheel for this Python")
    folder = Path(spec.origin).parent / "pginstall"
    try:
        _try(folder)
    except PermissionError:  # an environment of root, which nobody else may enter
        folder = _copied(Path(spec.origin).parent) / "pginstall"
        _try(folder)
    return folder


def _try(folder: Path) -> None:
    try:
        subprocess.run([folder / "bin" / "postgres", "--version"], check=True, capture_output=True, cwd="/", **_user())
    except PermissionError:
        raise
    except (OSError, subprocess.CalledProcessError) as error:
        raise CannotRunError(f"the server of pgserver cannot be run here: {error}") from error


@cache
def _copied(package: Path) -> Path:
    """A copy of the package and of its libraries, until this process ends, in a folder that everybody may enter."""
    folder = Path(tempfile.mkdtemp(prefix="cgrx-pgserver-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    folder.chmod(0o755)
    for each in (package, package.with_name("pgserver.libs")):
        if each.exists():
            shutil.copytree(each, folder / each.name)
    return folder / package.name


def given_to_server(path: Path) -> None:
    """Let a folder, with all that is in it, belong to the user who runs the server."""
    if not _user():
        return
    for each in (path, *path.rglob("*")):
        shutil.chown(each, "nobody")


def _with_stand_in(installation: Path, folder: Path) -> Path:
    """A copy of the server's folder which has an extension `timescaledb` that takes notes."""
    (folder / "bin").mkdir(parents=True)
    shutil.copy2(installation / "bin" / "postgres", folder / "bin")
    shutil.copytree(installation / "share", folder / "share")
    (folder / "lib").symlink_to(installation / "lib")
    extensions = folder / "share" / "postgresql" / "extension"
    (extensions / "timescaledb.control").write_text("default_version = '0'\nrelocatable = false\n")
    (extensions / "timescaledb--0.sql").write_text(_STAND_IN)
    return folder / "bin"


_STAND_IN = """
create table hypertables (relation text, time_column text, chunk bigint);
create function create_hypertable(
    relation regclass, time_column_name name, partitioning_column name = null, number_partitions integer = null,
    associated_schema_name name = null, associated_table_prefix name = null,
    chunk_time_interval anyelement = null::bigint, create_default_indexes boolean = true,
    if_not_exists boolean = false, partitioning_func regproc = null, migrate_data boolean = false
) returns void language sql as
$$ insert into @extschema@.hypertables values (relation::text, time_column_name, chunk_time_interval) $$;
"""
"""The parameters are those of the first form of the real function. Source: docs.timescale.com, create_hypertable."""


class Server:
    """One server, on a port of its own."""

    def __init__(self, programs: Path, data: Path) -> None:
        self.programs = programs
        self.data = data
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        self._process: subprocess.Popen[Any] | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def dsn(self, user: str = SUPERUSER, password: str = PASSWORD, database: str = "postgres", port: int = 0) -> str:
        """Where it is, or where a proxy in front of it is."""
        return f"postgresql://{user}:{password}@127.0.0.1:{port or self.port}/{database}"

    def start(self) -> None:
        """Start it, and wait until it answers. After a kill its children have to go first."""
        end = time.monotonic() + LIMIT_S
        settings = {
            "port": self.port,
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "fsync": "off",
            "shared_buffers": "16MB",
            "max_connections": "20",
        }
        options = [f"-c{name}={value}" for name, value in settings.items()]
        while True:
            if self._process is None or self._process.poll() is not None:
                self._process = subprocess.Popen(
                    [self.programs / "postgres", "-D", self.data, *options],
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    cwd="/",
                    **_user(),
                )
            try:
                self.query("select 1")
            except psycopg.OperationalError as error:
                if time.monotonic() > end:
                    raise TimeoutError("PostgreSQL does not start") from error
                time.sleep(0.03)  # noqa: TID251 - another process says nothing when it is ready
            else:
                return

    def run(self, command: list[str]) -> str:
        """Run another program as the user who runs the server: what it says against it, nothing where it succeeds."""
        ended = subprocess.run(command, check=False, capture_output=True, text=True, cwd="/", **_user())
        return ended.stderr.strip() or f"exit code {ended.returncode}" if ended.returncode else ""

    def kill(self) -> None:
        """As `kill -9` does."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def stop(self) -> None:
        """In good order, without waiting for its clients."""
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)  # without waiting for its clients
            try:
                self._process.wait(LIMIT_S)
            finally:
                self.kill()

    def query(self, statement: Any, *parameters: Any) -> list[tuple[Any, ...]]:
        """Ask over a connection of its own."""
        with psycopg.connect(self.dsn(), autocommit=True, connect_timeout=5) as connection:
            cursor = connection.execute(statement, parameters or None)
            return cursor.fetchall() if cursor.description else []


@contextmanager
def serving() -> Generator[Server]:
    """A new server.

    Raises:
        CannotRunError: it cannot run here.
    """
    installation = installed()
    with tempfile.TemporaryDirectory(prefix="cgrx-postgres-") as name:
        folder = Path(name)
        (folder / "password").write_text(PASSWORD)
        given_to_server(folder)
        options = ["--auth=scram-sha-256", f"--pwfile={folder / 'password'}", f"--username={SUPERUSER}"]
        options += ["--no-sync", "--no-locale", "--encoding=UTF8", "--wal-segsize=1"]
        made = subprocess.run(
            [installation / "bin" / "initdb", "-D", folder / "data", *options],
            check=False,
            capture_output=True,
            text=True,
            cwd="/",
            **_user(),
        )
        if made.returncode:
            raise CannotRunError(f"initdb does not work here: {made.stderr.strip()}")
        server = Server(_with_stand_in(installation, folder / "server"), folder / "data")
        try:
            server.start()
            yield server
        finally:
            server.stop()
