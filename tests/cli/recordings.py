"""Recordings made by hand, for tests of the command line."""

from pathlib import Path

from cgrx._recording.writer import write_recording
from cgrx.testing import liquidation
from tests.feed.feeding import START_MS
from tests.replay.replaying import alive, events, gap


def recorded(folder: Path, *given: tuple[float, float], end: float = 90) -> Path:
    """A recording of liquidations of BTC: seconds since the start, and US dollars."""
    said = [
        gap(-30),
        *(events(second, liquidation("long", usd, time=START_MS / 1e3 + second)) for second, usd in given),
    ]
    write_recording(folder, [*said, *(alive(second) for second in range(int(given[-1][0]) + 1, int(end)))])
    return folder
