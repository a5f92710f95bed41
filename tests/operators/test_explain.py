"""What a pipeline says of itself."""

import math
from typing import Any

import attrs
import pytest
import reactivex

import cgrx
from cgrx import Batch, Liquidation, Trade, TradeSide
from cgrx import operators as ops
from tests.streams.streaming import Hot


def is_round(event: Trade) -> bool:
    return event.volume_usd % 1000 == 0


def is_odd(event: Liquidation) -> bool:
    return event.volume_usd % 2 == 1


def is_up(event: Trade) -> bool:
    return event.side == TradeSide.BUY


def largest(usd: float, event: Trade) -> float:
    return max(usd, event.volume_usd)


def by_price(event: Trade) -> float:
    return event.price


@attrs.frozen
class Untold(ops.Stage[Trade, Trade]):
    """A stage of a user's own that tells nothing."""

    def start(self) -> ops.Running[Trade, Trade]:
        return Passing()


@attrs.frozen
class Told(Untold):
    """One that does."""

    @property
    def about(self) -> ops.About:
        return ops.About(state="the last trade", bound=1, delay_ms=1500, delay_note="a nap")


class Passing(ops.Running[Trade, Trade]):
    """Changes nothing."""

    def on_batch(self, batch: Batch[Trade]) -> tuple[Trade, ...]:
        return batch.events


def test_the_whole_text() -> None:
    pipeline = ops.pipeline(
        ops.side("long"), ops.where(is_odd), ops.dedupe("10s"), ops.cascades("3s", min_count=5, max_keys=50)
    )
    assert str(cgrx.explain(pipeline)) == "\n".join(
        [
            '1. side("long")',
            "   state: none",
            "   delay: none",
            "2. where(is_odd)",
            "   state: none",
            "   delay: none",
            '3. dedupe("10s")',
            "   state: the keys of the last 10s, at most 100,000 keys, then the oldest is forgotten",
            "   delay: none",
            '4. cascades("3s", min_count=5, max_keys=50)',
            "   state: a partial result for each open cascade, at most 50 keys, then TooManyKeysError",
            "   delay: 4 s, plus the time to the next proof of life",
            "worst delay: 4 s, plus the time to the next proof of life",
            f"opaque Python: {__name__}.is_odd",
        ]
    )


@pytest.mark.parametrize(
    ("stage", "state", "bound"),
    [
        (ops.min_volume(1), "none", 0),
        (ops.max_volume(1), "none", 0),
        (ops.side("buy"), "none", 0),
        (ops.map(is_round), "none", 0),
        (ops.final(), "none", 0),
        (ops.exchange("OKX"), "the answer for each name seen", 4096),
        (ops.dedupe("1m", max_keys=math.inf), "the keys of the last 1m", math.inf),
        (ops.scan(max, 0), "one value", 1),
        (ops.scan(max, 0, "exchange"), "one value for each key", 100_000),
        (ops.scan(max, 0, "exchange", max_keys=math.inf), "one value for each key", math.inf),
        (ops.cascades(max_keys=math.inf), "a partial result for each open cascade", math.inf),
        (ops.tumbling("1m", max_keys=7), "a partial result for each open window and key", 1),
        (ops.count_bars(3, by="symbol", max_keys=7), "a partial result for each key that ever came", 7),
    ],
)
def test_what_is_kept(stage: ops.Stage[Any, Any], state: str, bound: float) -> None:
    """And for how many keys at most: 0 without state, 1 where all events share it."""
    (about,) = cgrx.explain(stage).about
    assert (about.state, about.bound) == (state, bound)


def test_what_happens_at_one_key_more() -> None:
    """An error, or something is forgotten; nothing is told where there cannot be one more."""
    by_exchange = ops.scan(largest, 0.0, "exchange", max_keys=1)
    assert "one value for each key, at most 1 key, then TooManyKeysError" in str(cgrx.explain(by_exchange))
    assert "4,096 keys, then all answers are forgotten" in str(cgrx.explain(ops.exchange("OKX")))
    assert "state: one value\n" in str(cgrx.explain(ops.scan(largest, 0.0)))
    assert ops.tumbling("1m").about.beyond == ""


def test_what_has_no_bound_says_so() -> None:
    text = str(cgrx.explain(ops.dedupe("1m", max_keys=math.inf)))
    assert "state: the keys of the last 1m, without a bound" in text


def test_the_delays_add_up() -> None:
    explained = cgrx.explain(ops.pipeline(Told(), Told(), ops.tumbling("1m", lateness="1s", idle="0.5s")))
    assert explained.worst_delay_ms == 4500
    assert "worst delay: 4.5 s, plus a nap; the time to the next proof" in str(explained)


def test_a_stage_that_tells_nothing() -> None:
    explained = cgrx.explain(ops.pipeline(Untold(), Told()))
    assert explained.worst_delay_ms is None
    assert "1. Untold()\n   state: not told\n   delay: not told" in str(explained)
    assert "2. Told()\n   state: the last trade\n   delay: 1.5 s, plus a nap" in str(explained)
    assert "worst delay: not told, plus a nap" in str(explained)


def test_what_is_opaque() -> None:
    """Functions wherever they are, and stages that are not of cgrx; each once, by name."""

    class Odd:
        def __call__(self, event: Trade) -> bool:
            return True

        def __repr__(self) -> str:
            return "Odd()"

    pipeline = ops.pipeline(
        ops.where(is_round),
        ops.where(is_up, of=Trade),
        ops.where(Odd()),
        ops.dedupe("1s", key=by_price),
        Untold(),
        ops.scan(largest, 0.0),
    )
    name = __name__
    assert cgrx.explain(pipeline).opaque == (
        f"{name}.is_round",
        f"{name}.is_up",
        "Odd()",
        f"{name}.by_price",
        f"{name}.Untold",
        f"{name}.largest",
    )
    assert str(cgrx.explain(ops.side("long"))).endswith("opaque Python: none")


def test_a_stream_is_explained_by_its_stages() -> None:
    source: Hot[Trade] = Hot()
    assert cgrx.explain(source.stream.pipe(ops.side("buy"), Untold())).stages == ('side("buy")', "Untold()")
    assert str(cgrx.explain(source.stream)) == "worst delay: none\nopaque Python: none"


def test_an_explanation_is_a_value() -> None:
    assert cgrx.explain(ops.side("buy")) == cgrx.explain(ops.side("buy"))
    assert hash(cgrx.explain(ops.side("buy"))) == hash(cgrx.explain(ops.side("buy")))


@pytest.mark.parametrize("other", [5, reactivex.never(), ops.share()])
def test_what_cannot_be_explained(other: Any) -> None:
    with pytest.raises(TypeError, match="takes a stage, a pipeline or an EventStream"):
        cgrx.explain(other)
