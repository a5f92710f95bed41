"""Pipelines and states that a shard refuses, each with one clear error; and how large a state is."""

import io
import pickle
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable
from fractions import Fraction
from functools import partial
from typing import Any, cast

import attrs
import numpy as np
import pytest
import reactivex
from reactivex import Observable, Subject
from reactivex import operators as rx_ops
from reactivex.disposable import Disposable

import cgrx
from cgrx import (
    Alive,
    Batch,
    Feed,
    FuturesTrades,
    Gap,
    Liquidation,
    LiquidationOrders,
    Record,
    Shard,
    Signal,
    StateError,
)
from cgrx import operators as ops
from cgrx._shards import storing
from cgrx._shards.record import Numbering
from cgrx.testing import liquidation, trade

BTC = FuturesTrades("Binance", "BTCUSDT", 0)


LIQUIDATION = [Record("liquidationOrders", "one", 0, 1, Batch(LiquidationOrders(), 1, (liquidation("long"),)))]


def same(event: Any) -> Any:
    return event


def whole(feed: Feed) -> Observable[Any]:
    return feed.liquidations()


def subscribing(feed: Feed) -> Observable[Any]:
    feed.liquidations().subscribe()
    return feed.liquidations()


def foreign(feed: Feed) -> Observable[Any]:
    def connect(observer: object, scheduler: object) -> Disposable:
        return Disposable()

    return cgrx.EventStream[Any](connect)


REFUSED: dict[str, Callable[[Any], Any]] = {
    "reactivex's 'debounce' may hold a state": lambda feed: feed.liquidations().pipe(rx_ops.debounce(1)),
    "reactivex's 'map' may": lambda feed: feed.liquidations().pipe(rx_ops.map(same), ops.dedupe("1s")),
    "reactivex's 'never' may": lambda feed: cgrx.merge(feed.liquidations(), reactivex.never()),
    "Subject, which is none of cgrx's streams, may": lambda feed: cgrx.merge(feed.liquidations(), Subject[Any]()),
    "events from something else than the feed's channels": foreign,
    "uses feed.status, and a shard has the streams of its channels alone": lambda feed: feed.status,
    "subscribes to streams of its own": subscribing,
}


@pytest.mark.parametrize("why", REFUSED)
def test_pipelines_that_no_bytes_can_hold(why: str) -> None:
    """Refused when the shard is made."""
    with pytest.raises(ValueError, match=why):
        Shard(REFUSED[why])


def seven(feed: Feed) -> int:
    return 7


def test_a_pipeline_is_an_observable_of_the_feed() -> None:
    with pytest.raises(TypeError, match=r"build\(feed\) returned 7, which is no Observable"):
        Shard(cast(Any, seven))


@attrs.frozen
class Own(ops.Stage[Any, Any]):
    """A stage with a state of a test's choice."""

    make: Callable[[], Any]

    def start(self) -> ops.Running[Any, Any]:
        return Holding(self.make())


class Holding(ops.Running[Any, Any]):
    """Gives what it holds for each batch."""

    def __init__(self, held: Any) -> None:
        self.held = held

    def on_batch(self, batch: Batch[Any]) -> Iterable[Any]:
        return [self.held]


def holding(make: Callable[[], Any]) -> Callable[[Feed], Observable[Any]]:
    def build(feed: Feed) -> Observable[Any]:
        return feed.liquidations().pipe(ops.dedupe("1s"), Own(make))

    return build


def test_a_state_that_does_not_pickle_names_its_stage() -> None:
    with pytest.raises(
        StateError,
        match=r"the state of dedupe\('1s'\) \| Own.* cannot be put away: cannot pickle '_thread.lock'".replace(
            "'1s'", '"1s"'
        ),
    ):
        Shard(holding(threading.Lock))


class Shadowing(Holding):
    """Calls something else its state."""

    def __init__(self) -> None:
        super().__init__(0)
        vars(self)["state"] = 7


@attrs.frozen
class Shadowed(ops.Stage[Any, Any]):
    """Its stage."""

    def start(self) -> ops.Running[Any, Any]:
        return Shadowing()


def test_a_state_that_cannot_be_asked_for_names_its_stage() -> None:
    """As where an attribute takes the name of the method."""

    def build(feed: Feed) -> Observable[Any]:
        return feed.liquidations().pipe(Shadowed())

    with pytest.raises(StateError, match=r"the state of Shadowed\(\) cannot be put away: 'int' object is not callable"):
        Shard(build)


def test_a_state_of_foreign_values_names_them() -> None:
    """Reading it back would call code that the pipeline does not name."""
    with pytest.raises(StateError, match=r"it holds numpy.*, which is neither a plain value nor of a module of the"):
        Shard(holding(lambda: np.array([1.0])))
    assert Shard(holding(lambda: {Fraction(1, 3), ("a", 1j)})).take(LIQUIDATION) == [{Fraction(1, 3), ("a", 1j)}]


def test_reading_a_state_calls_nothing_else() -> None:
    """Whatever stands in the bytes."""
    build = holding(dict[str, int])
    shard = Shard(build)
    identity = shard._built.identity  # pyright: ignore[reportPrivateUsage]  # to forge a state of this pipeline
    evil = pickle.dumps(io.open)
    with pytest.raises(StateError, match=r"the state names (_io|io)\.open, which no state of this pipeline does"):
        storing._unpickled(identity, evil)  # pyright: ignore[reportPrivateUsage]
    with pytest.raises(StateError, match=r"the state names cgrx\._streams\.stream\.merge"):
        storing._unpickled(identity, pickle.dumps(cgrx.merge))  # pyright: ignore[reportPrivateUsage]
    body = storing._opened(identity, shard.snapshot())  # pyright: ignore[reportPrivateUsage]
    with pytest.raises(StateError, match=r"stands for a part of a pipeline: only cgrx.Shard.restore reads a state"):
        pickle.loads(body)


def is_above(least: float, event: Liquidation) -> bool:
    return event.volume_usd > least


def is_at_least(least: float, event: Liquidation) -> bool:
    return event.volume_usd >= least


def limited(
    least: float = 5, by: str = "exchange", test: Callable[[float, Liquidation], bool] = is_above
) -> Callable[[Feed], Observable[Any]]:
    def build(feed: Feed) -> Observable[Any]:
        return feed.liquidations().where(partial(test, least)).pipe(ops.tumbling("1m", by=by))

    return build


@pytest.mark.parametrize("other", [limited(6), limited(by="symbol"), limited(test=is_at_least), whole])
def test_a_state_of_another_pipeline_is_refused(other: Callable[[Feed], Observable[Any]]) -> None:
    """The error names both."""
    data = Shard(limited()).snapshot()
    Shard.restore(limited(), data)
    with pytest.raises(StateError, match="the state is of another pipeline") as raised:
        Shard.restore(other, data)
    found, expected = raised.value.found, raised.value.expected
    assert "liquidationOrders | where(" in str(found)
    assert expected != found
    assert str(found) in str(raised.value)
    assert str(expected) in str(raised.value)


def test_a_state_of_another_version_is_refused() -> None:
    """The error names both."""
    data = bytearray(Shard(limited()).snapshot())
    data[4] = 99
    known = f"format {storing.FORMAT}"
    with pytest.raises(StateError, match=f"of format 99, and this version of cgrx knows {known}") as raised:
        Shard.restore(limited(), bytes(data))
    assert (raised.value.found, raised.value.expected) == ("format 99", known)


def test_damaged_bytes_are_refused() -> None:
    """Also cut ones, and such that were never a state."""
    data = Shard(limited()).snapshot()
    for damaged in (data[:-1], data[:-9] + b"x" + data[-8:]):
        with pytest.raises(StateError, match="the state is damaged: its checksum is not that of its bytes"):
            Shard.restore(limited(), damaged)
    for none in (b"", b"PK\x03\x04" + bytes(40), data[:20]):
        with pytest.raises(StateError, match=f"these {len(none)} bytes are no state of a pipeline"):
            Shard.restore(limited(), none)


def test_a_long_pipeline_is_named_by_its_beginning() -> None:
    shard = Shard(lambda feed: feed.liquidations().pipe(*[ops.symbol("é" * 50)] * 9))
    assert len(shard.snapshot()) < 1_000


IN_ANOTHER_PROCESS = """
import sys
from cgrx import Shard, operators as ops
from tests.shards.pipelines import SEVERAL
for name, build in SEVERAL.items():
    shard = Shard(build)
    print(name, shard._built.identity.fingerprint.hex())
"""


def test_a_pipeline_is_the_same_in_another_process() -> None:
    """No address and no hash goes into its fingerprint."""
    from tests.shards.pipelines import SEVERAL

    def told(seed: str) -> str:
        command = [sys.executable, "-c", IN_ANOTHER_PROCESS]
        done = subprocess.run(
            command,
            check=False,
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": "."},
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    own = "".join(
        f"{name} {Shard(build)._built.identity.fingerprint.hex()}\n"  # pyright: ignore[reportPrivateUsage]
        for name, build in SEVERAL.items()
    )
    assert told("7") == own


# Size


@pytest.mark.parametrize(
    ("stage", "most"),
    [
        (ops.tumbling("1m", ops.Bar, by=("exchange", "symbol")), 1_500),
        (ops.sliding("1m", "1s", ops.Bar, by=("exchange", "symbol")), 9_000),
        (ops.session("1m", by="symbol"), 1_500),
        (ops.pipeline(ops.dedupe("10s"), ops.tumbling("1m", by="symbol")), 2_500),
    ],
)
def test_the_state_of_a_window_of_one_key_is_small(stage: ops.Stage[Any, Any], most: int) -> None:
    """Bytes, with a trade every second: what a shard of one channel costs at each micro-batch."""
    shard = Shard(lambda feed: feed.futures_trades("Binance", "BTCUSDT", min_volume=0).pipe(stage))
    trades = [
        Batch(BTC, ms, (trade("buy", 12_345.67 + ms, time=ms / 1000, price=60_123.45),))
        for ms in range(1_700_000_000_000, 1_700_000_100_000, 1_000)
    ]
    numbering = Numbering("one")
    signals: list[Signal[Any]] = [Gap(BTC, 0, 1_700_000_000_000, "subscribed"), *trades, Alive("a", 1_700_000_100_000)]
    shard.take([numbering.record(BTC.name, signal) for signal in signals])
    assert len(shard.snapshot()) <= most
