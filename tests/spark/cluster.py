"""A cluster of Spark on this machine: a master and workers, each a process, and drivers to run on it."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from tests.house.plan import ROOT
from tests.sinks.redis_server import free_port

LIMIT_S = 200.0


def until(true: Callable[[], object], what: str, driver: "subprocess.Popen[bytes] | None" = None) -> None:
    """Wait for it.

    Raises:
        TimeoutError: it does not come.
    """
    end = time.monotonic() + LIMIT_S
    while not true():
        if time.monotonic() > end or (driver is not None and driver.poll() is not None):
            raise TimeoutError(
                f"{what}: {'the driver has ended' if driver and driver.poll() is not None else 'too slow'}"
            )
        time.sleep(0.1)  # noqa: TID251 - processes and files do not say when they change


class Cluster:
    """A master and its workers."""

    def __init__(self, folder: Path) -> None:
        import pyspark

        self._home = Path(pyspark.__file__).parent
        self._folder = folder
        self._processes: list[subprocess.Popen[bytes]] = []
        port = free_port()
        self.url = f"spark://127.0.0.1:{port}"
        self._run("master.Master", "--port", str(port), "--webui-port", "0")
        until(lambda: _answers(port), "the master")

    def _run(self, what: str, *arguments: str) -> None:
        program = str(self._home / "bin" / "spark-class")
        command = [program, f"org.apache.spark.deploy.{what}", "--host", "127.0.0.1"]
        log = (self._folder / f"{what}-{len(self._processes)}.log").open("wb")
        environment = os.environ | {"PYTHONPATH": str(ROOT), "SPARK_DAEMON_MEMORY": "256m"}
        with log:
            self._processes.append(
                subprocess.Popen(
                    [*command, *arguments], stdout=log, stderr=log, env=environment, start_new_session=True
                )
            )

    def add_worker(self) -> None:
        """One more worker, of one core."""
        where = str(self._folder / "work")
        self._run("worker.Worker", "--webui-port", "0", "--cores", "1", "--memory", "1g", "--work-dir", where, self.url)

    def executors(self) -> list[int]:
        """The processes of the executors."""
        ours = {process.pid for process in self._processes}
        found: list[int] = []
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                command = (folder / "cmdline").read_bytes()
                session = int((folder / "stat").read_text().rpartition(")")[2].split()[3])
            except OSError:
                continue  # it has ended meanwhile
            if session in ours and b"CoarseGrainedExecutorBackend" in command:
                found.append(int(folder.name))
        return found

    def driver(self, *arguments: object) -> "subprocess.Popen[bytes]":
        """A process that runs `tests.spark.driver` on it."""
        number = len(list(self._folder.glob("driver-*.log")))
        environment = os.environ | {"PYTHONPATH": str(ROOT), "PYSPARK_PYTHON": sys.executable}
        with (self._folder / f"driver-{number}.log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "tests.spark.driver", self.url, *map(str, arguments)],
                stdout=log,
                stderr=log,
                cwd=ROOT,
                env=environment,
                start_new_session=True,
            )
        self._processes.append(process)
        return process

    def kill(self) -> None:
        """All of it."""
        for process in self._processes:
            kill(process)


def kill(process: "subprocess.Popen[bytes]") -> None:
    """A process with those that it has started, by signal 9."""
    with suppress(ProcessLookupError):  # all have ended
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(15)


def _answers(port: int) -> bool:
    with socket.socket() as found:
        return found.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def cluster(folder: Path, workers: int) -> Generator[Any]:
    """A cluster."""
    found = Cluster(folder)
    try:
        for _ in range(workers):
            found.add_worker()
        yield found
    finally:
        found.kill()
