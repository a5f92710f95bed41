"""What the stages of a stream hold and have counted, over all its subscriptions."""

from typing import Any

import cgrx
from cgrx import operators as ops
from cgrx.operators import agg
from tests.streams.streaming import Hot
from tests.windows.windowing import BEGUN, Heard, at

ROWS: dict[str, Any] = {"n": agg.count(), "by": "exchange", "lateness": "0s"}


def test_open_keys_and_late_events() -> None:
    """Of the windows of every stage; those that have closed hold no key any more."""
    source: Hot[Any] = Hot()
    stream = source.stream.pipe(ops.side("buy"), ops.tumbling("1s", **ROWS))
    assert stream.stage_stats == cgrx.StageStats(keys=0, late=0)
    stream.subscribe_signals(Heard())
    for signal in (BEGUN, at(500, 500, exchange="A"), at(600, 600, exchange="B")):
        source.say(signal)
    assert stream.stage_stats == cgrx.StageStats(keys=2, late=0)
    source.say(at(1_500, 1_500, exchange="A"))
    source.say(at(1_500, 1_500, exchange="B"))
    source.say(at(1_600, 700, exchange="A"))
    assert stream.stage_stats == cgrx.StageStats(keys=2, late=1)


def test_subscriptions_add_up_and_what_they_counted_stays() -> None:
    """A counter never goes back: not when a subscription is disposed, nor when its stream ends."""
    source: Hot[Any] = Hot()
    stream = source.stream.pipe(ops.pipeline(ops.tumbling("1s", **ROWS)))
    first = stream.subscribe_signals(Heard())
    stream.subscribe_signals(Heard())
    for signal in (BEGUN, at(2_500, 2_500), at(2_500, 700)):
        source.say(signal)
    assert stream.stage_stats == cgrx.StageStats(keys=2, late=2)
    first.dispose()
    first.dispose()
    assert stream.stage_stats == cgrx.StageStats(keys=1, late=2)
    source.say(at(2_500, 800))
    source.complete()
    assert stream.stage_stats == cgrx.StageStats(keys=0, late=3)


def test_a_stream_of_other_stages_counts_nothing() -> None:
    """Neither one without stages, nor one whose stages have no windows."""
    source: Hot[Any] = Hot()
    for stream in (source.stream, source.stream.pipe(ops.side("buy"), ops.dedupe("1s"))):
        stream.subscribe_signals(Heard())
        source.say(at(500, 500, 500))
        assert stream.stage_stats == cgrx.StageStats()


def test_a_running_form_of_a_user_tells_its_own() -> None:
    """By the same property; without it, zeros."""

    class Telling(ops.Running[Any, Any]):
        @property
        def stats(self) -> cgrx.StageStats:
            return cgrx.StageStats(keys=3)

    class Theirs(ops.Stage[Any, Any]):
        def start(self) -> ops.Running[Any, Any]:
            return Telling()

    source: Hot[Any] = Hot()
    stream = source.stream.pipe(Theirs())
    stream.subscribe_signals(Heard())
    assert stream.stage_stats == cgrx.StageStats(keys=3)
