"""How recordings are read, in every way there is, and what each says of one that was forged."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import trio

import cgrx
from cgrx import Recording, RecordingError
from cgrx import operators as ops
from cgrx._cli.app import run
from cgrx._cli.terminal.exits import Exit


def entries(folder: Path) -> object:
    return list(Recording(folder).entries())


def arrow(folder: Path) -> object:
    return Recording(folder).to_arrow()


def polars(folder: Path) -> object:
    return Recording(folder).to_polars().collect()


def replayed(folder: Path) -> object:
    async def main() -> None:
        async with cgrx.replay(folder, speed=math.inf) as feed:
            await feed.run()

    return trio.run(main)


def liquidations(feed: cgrx.Feed) -> Any:
    return feed.liquidations()


def windows(feed: cgrx.Feed) -> Any:
    return feed.liquidations().pipe(ops.tumbling("1m", ops.Flow, by=("exchange", "symbol", "side")))


def by_events(folder: Path) -> object:
    return cgrx.backtest(liquidations, folder).rows


def by_columns(folder: Path) -> object:
    return cgrx.backtest(windows, folder).rows


READERS = (entries, arrow, replayed, by_events)
"""Read row by row."""
QUERIES = (polars, by_columns)
"""Read columns."""


def refused(folder: Path, file: str, *readers: Callable[[Path], object]) -> RecordingError:
    """What each of these readers, and the command line, say of a forged recording."""
    said: list[RecordingError] = []
    for reader in readers:
        with pytest.raises(RecordingError) as raised:
            reader(folder)
        said.append(raised.value)
    assert {(error.file, error.place, error.reason) for error in said} == {
        (str(folder / file), said[0].place, said[0].reason)
    }
    assert str(said[0]).isprintable()
    return said[0]


def said_by(reader: Callable[[Path], object], folder: Path) -> str | None:
    """What a reader says is wrong with a recording, None where it says nothing."""
    try:
        reader(folder)
    except RecordingError as error:
        return str(error)
    return None


def refused_by_command(folder: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """The last line of `cgrx replay`."""
    capsys.readouterr()
    assert run(["replay", "liquidations", str(folder), "--format", "jsonl"]) == Exit.FAILED
    _, err = capsys.readouterr()
    assert "Traceback" not in err
    return err.splitlines()[-1]
