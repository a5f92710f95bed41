"""Every kind of window with every aggregate, on the real recordings: columns give what a replay gives."""

from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import cgrx
from cgrx import operators as ops
from cgrx._model.channels import Channel
from cgrx._model.events import Liquidation
from cgrx._model.signals import Alive, Batch, Dropped, Gap
from cgrx._recording.entry import Recorded
from cgrx._recording.recording import Recording
from cgrx._recording.writer import write_recording
from tests.aggregates.test_aggregates_oracle import events
from tests.backtest.columns import AGGREGATES, LIQUIDATIONS, TRADES, Build, any_window, assert_same
from tests.choosing import one_in
from tests.recordings import REQUIRED

pytestmark = REQUIRED

PART = 700
"""So many events: what is compared is made event by event too."""
CHANNELS: dict[str, Channel] = {"trades": TRADES, "liquidations": LIQUIDATIONS}
BY = ("exchange", "symbol")
WINDOWS: dict[str, Any] = {
    "tumbling 1s": partial(any_window(ops.tumbling), "1s"),
    "tumbling 1m": partial(any_window(ops.tumbling), "1m"),
    "sliding": partial(any_window(ops.sliding), "10s", "2s"),
    "uneven": partial(any_window(ops.sliding), "20s", "7s"),
    "offset": partial(any_window(ops.tumbling), "10s", offset="3s"),
    "overlapping at an offset": partial(any_window(ops.sliding), "10s", "2s", offset="500ms"),
    # In the midst of the liquidations, and of the trades.
    "days": partial(any_window(ops.tumbling), "1d", zone="America/New_York", start="06:20"),
    "weeks": partial(any_window(ops.tumbling), "1w", zone="Europe/Berlin", start="01:54:20", week_start="friday"),
    "session": partial(any_window(ops.session), "1s"),
}


def entries(kind: str, begin: int = 0) -> Iterator[Recorded]:
    """As a feed would have said them: in batches, with proofs, a gap and a loss in the midst.

    What stands before `begin` comes last.
    """
    channel = CHANNELS[kind]
    wanted = [event for event in events() if isinstance(event, Liquidation) == (kind == "liquidations")][:PART]
    wanted = wanted[begin:] + wanted[:begin]
    yield Recorded(channel, Gap(channel, 0, wanted[0].time_ms, "subscribed"))
    now_ms = 0
    for number in range(len(wanted) // 50):
        group = tuple(wanted[50 * number : 50 * number + 50])
        now_ms = max(now_ms, *(event.time_ms for event in group)) + 20
        yield Recorded(channel, Batch(channel, now_ms, group))
        yield Recorded(channel, Alive("o", now_ms))
        if number == 10:
            yield Recorded(channel, Gap(channel, now_ms - 1500, now_ms, "disconnected"))
        if number == 12:
            yield Recorded(channel, Dropped(channel, 2, "malformed"))


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Recording]:
    return {kind: written(tmp_path_factory.mktemp(kind), entries(kind)) for kind in CHANNELS}


def written(folder: Path, said: Iterable[Recorded]) -> Recording:
    write_recording(folder, said)
    return Recording(folder)


def stream(feed: cgrx.Feed, kind: str) -> Any:
    return feed.liquidations() if kind == "liquidations" else feed.futures_trades("A", "X", min_volume=0)


@pytest.mark.parametrize("window", one_in(3, WINDOWS))
@pytest.mark.parametrize("kind", CHANNELS)
def test_every_aggregate(recordings: dict[str, Recording], kind: str, window: str) -> None:
    stage = WINDOWS[window](by=BY, **AGGREGATES)
    assert_both_ways(
        lambda feed: stream(feed, kind).pipe(stage), lambda feed: opaque(feed, kind).pipe(stage), recordings[kind]
    )


def opaque(feed: cgrx.Feed, kind: str) -> Any:
    """The stream behind a Python function, so that what follows runs event by event."""
    found: cgrx.EventStream[Any] = stream(feed, kind)
    return found.where(lambda _: True)


def assert_both_ways(build: Build, by_event: Build, recording: Recording) -> None:
    found, expected = cgrx.backtest(build, recording), cgrx.backtest(by_event, recording)
    assert found.explain().reason is None
    assert expected.explain().reason is not None
    assert_same(found.rows, expected.rows)
    assert found.rows
    columns = {name: str(of) for name, of in found.to_polars().schema.items()}
    assert columns == {name: str(of) for name, of in expected.to_polars().schema.items()}


@pytest.mark.parametrize("kind", CHANNELS)
def test_events_as_a_table(recordings: dict[str, Recording], kind: str) -> None:
    """A pipeline without a window gives events, and these the table that `to_frame` makes."""
    found = cgrx.backtest(lambda feed: stream(feed, kind).pipe(ops.min_volume(1)), recordings[kind])
    assert found.to_polars().to_dicts() == cgrx.to_dicts(found.rows)
    assert found.to_polars().columns == list(found.rows[0].asdict())


def test_disorder(tmp_path: Path) -> None:
    """Of recorders whose files were appended in another order, with the usual lateness and with a large one."""
    recording = written(tmp_path, entries("liquidations", begin=450))
    stage = ops.tumbling("1s", by=BY)
    found = cgrx.backtest(lambda feed: feed.liquidations().pipe(stage), recording)
    assert "late" in str(found.explain().reason)
    assert found.rows[-1].late > 0
    patient = ops.tumbling("1s", by=BY, lateness="200d")
    assert_both_ways(
        lambda feed: feed.liquidations().pipe(patient),
        lambda feed: opaque(feed, "liquidations").pipe(patient),
        recording,
    )
