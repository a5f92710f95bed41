"""A run as a value and as JSON: every sample, the machine and the versions."""

import importlib.metadata
import os
import platform
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import attrs
import msgspec

from benchmarks._harness.scenario import Point, Role

PACKAGES = (
    "cgrx trio trio-websocket reactivex msgspec attrs websockets picows uvloop orjson streamz aiostream bytewax polars"
    " pyarrow"
).split()


@attrs.frozen
class Line:
    """One rival in one case: its measurements, round by round; or why it is absent."""

    rival: str
    role: Role
    values: tuple[float, ...] = ()
    """In the scenario's unit, one per round."""
    also: Mapping[str, tuple[float, ...]] = attrs.field(factory=dict[str, tuple[float, ...]])
    absent: str | None = None


@attrs.frozen
class CaseResult:
    """All rivals in one case. Samples at the same place were taken in the same round."""

    case: str
    lines: tuple[Line, ...]
    checked: int
    """How many results were compared, and equal."""
    point: Point | None = None

    def line(self, rival: str) -> Line | None:
        """The line of that rival, if it took part."""
        return next((line for line in self.lines if line.rival == rival and line.values), None)


@attrs.frozen
class ScenarioResult:
    """All cases of one scenario."""

    name: str
    question: str
    unit: str
    ours: str
    cases: tuple[CaseResult, ...]


@attrs.frozen
class RunResult:
    """A whole run."""

    command: str
    started: str
    """UTC."""
    seconds: float
    quick: bool
    machine: Mapping[str, str]
    busy: float
    """Load average per core just before the run: near 0 on an idle machine."""
    versions: Mapping[str, str]
    scenarios: tuple[ScenarioResult, ...]


def machine() -> dict[str, str]:
    """What the figures depend on: system, processor, cores. Nothing that identifies the machine or its owner."""
    model = next(
        (line.partition(":")[2].strip() for line in _lines(Path("/proc/cpuinfo")) if line.startswith("model name")),
        platform.processor() or platform.machine(),
    )
    return {
        "system": f"{platform.system()} {platform.machine()}",
        "processor": model,
        "cores": str(os.cpu_count()),
    }


def load_average() -> float:
    """How many processes wanted a core, averaged over the last minute."""
    return os.getloadavg()[0]


def _lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.is_file() else []


def versions() -> dict[str, str]:
    """Python, the commit, and every library that takes part."""
    found = {"python": f"{platform.python_implementation()} {sys.version.split()[0]}", "commit": _commit()}
    for package in PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            found[package] = "not installed"
    return found


def _commit() -> str:
    """The commit that ran, marked if files differ from it."""
    command = ["git", "-C", str(Path(__file__).parent), "describe", "--always", "--dirty=, with changes"]
    asked = subprocess.run(command, capture_output=True, text=True, check=False, timeout=10)
    return asked.stdout.strip() or "unknown"


def save(result: RunResult, path: Path) -> None:
    """Write it as JSON, numbers to six digits."""
    plain = _rounded(msgspec.to_builtins(result))
    path.write_bytes(msgspec.json.format(msgspec.json.encode(plain), indent=1) + b"\n")


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.6g}")
    if isinstance(value, dict):
        return {key: _rounded(each) for key, each in cast("dict[str, Any]", value).items()}
    if isinstance(value, list | tuple):
        return [_rounded(each) for each in cast("Sequence[Any]", value)]
    return value


def read(path: Path) -> RunResult:
    """Read what `save` wrote.

    Raises:
        ValueError: the file is not a result that `save` wrote.
    """
    try:
        return msgspec.json.decode(path.read_bytes(), type=RunResult)
    except msgspec.MsgspecError as error:
        raise ValueError(f"{path} is no result of `python -m benchmarks run --json`: {error}") from error
