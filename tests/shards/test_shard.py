"""A shard: rows do not depend on how records are cut, how often they come, nor on where its state was put away."""

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reactivex import Observable

from cgrx import End, Feed, Liquidation, LiquidationOrders, Record, Shard, Signal
from cgrx._shards.record import Numbering
from cgrx.testing import Timeline, alive, play_timeline
from tests.operators.contracts import BEGUN, BURSTS, LIFTS, Lift, at
from tests.operators.test_operator_properties import signals, told
from tests.support import examples

CHANNEL = LiquidationOrders()


def numbered(*some: Signal[Any] | End, session: str = "one") -> list[Record]:
    """Records of one session of the liquidations."""
    numbering = Numbering(session)
    return [numbering.record(CHANNEL.name, each) for each in some]


Build: TypeAlias = Callable[[Feed], Observable[Any]]


def of(lift: Lift) -> Build:
    """The pipeline on a feed's liquidations."""

    def build(feed: Feed) -> Observable[Any]:
        return lift(feed.liquidations())

    return build


def shown(out: Sequence[Signal[Any]]) -> list[Any]:
    """Results as they print, and the marks between them."""
    return told(Timeline(tuple(out), completed=False))


@pytest.mark.parametrize("name", LIFTS)
def test_a_restart_after_every_record_does_not_show(name: str) -> None:
    build = of(LIFTS[name])
    records = numbered(BEGUN, *(at(event.time_ms / 1000) for event in BURSTS.events), alive("2m"), End())
    shard, out = Shard(build), list[Signal[Any]]()
    for record in records:
        out += shard.signals([record])
        shard = Shard.restore(build, shard.snapshot())
    assert shown(out) == shown(tuple(Shard(build).signals(records)))


@given(name=st.sampled_from(list(LIFTS)), given_signals=signals(), data=st.data())
@settings(max_examples=examples(300), deadline=None)
def test_no_cut_no_repetition_and_no_restart_shows(
    name: str, given_signals: list[Signal[Liquidation]], data: st.DataObject
) -> None:
    """Results, marks and their order are those of the stream itself."""
    build = of(LIFTS[name])
    records = numbered(*given_signals, End())
    shard, out, done = Shard(build), list[Signal[Any]](), 0
    while done < len(records):
        begin, end = data.draw(st.integers(0, done)), data.draw(st.integers(done + 1, len(records)))
        out += shard.signals(records[begin:end])
        done = end
        if data.draw(st.booleans()):
            shard = Shard.restore(build, shard.snapshot())
    whole = shown(tuple(Shard(build).signals(records)))
    assert shown(out) == whole
    if name != "merge":  # each subscriber of a feed has a gap of its own, and those of one stream are one
        assert whole == told(play_timeline(LIFTS[name], given_signals))
