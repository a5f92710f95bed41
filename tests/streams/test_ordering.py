"""The ordered merge: what waits for what, where the marks go, what is late, its bounds."""

import math
from typing import Any

import reactivex
import reactivex.operators as rx
from reactivex import Observable

import cgrx
from cgrx import Alive, Batch, Dropped, EventStream, Gap, Liquidation, LiquidationOrders, Signal, Trade, Watermark
from cgrx import operators as ops
from cgrx.operators import agg
from cgrx.testing import batch, play_timeline, trade, watermark
from tests.streams.merging import Merge, at, channel_of, short
from tests.streams.streaming import Hot, Notes

NEVER: Observable[Any] = reactivex.never()


def proof(at_ms: int, origin: str = "feed") -> Alive:
    return Alive(origin, at_ms)


def is_trade(event: object) -> bool:
    return isinstance(event, Trade)


def time_of(event: Trade) -> int:
    return event.time_ms


def gap_of(exchange: str, start_ms: int, end_ms: int) -> Gap:
    return Gap(channel_of(exchange), start_ms, end_ms, "test")


def test_an_event_waits_for_every_source() -> None:
    """Here an input that has said nothing yet, and then one that has not come so far."""
    merge = Merge()
    assert merge.say(0, at("A", 100)) == []
    assert merge.say(1, at("B", 50)) == ["B50", "%50"]
    assert merge.say(1, at("B", 120)) == ["A100", "%100"]
    assert merge.say(0, at("A", 110, 120)) == ["A110", "%110", "B120", "A120", "%120"]
    assert merge.stream.stats == cgrx.OrderStats(events=5, late=0, worst_late_ms=0)


def test_every_exchange_of_an_input_is_a_source_of_its_own() -> None:
    merge = Merge(1)
    assert merge.say(0, at("A", 100)) == ["A100", "%100"]
    assert merge.say(0, at("B", 150)) == []
    assert merge.say(0, at("A", 200)) == ["B150", "%150"]


def test_so_is_every_channel_of_an_exchange() -> None:
    merge = Merge(1)
    other = Batch(LiquidationOrders(), 150, (trade(time=0.15, exchange="A"),))
    assert merge.say(0, at("A", 100), other) == ["A100", "%100"]
    assert merge.say(0, at("A", 200)) == ["A150", "%150"]


def test_so_is_every_exchange_within_a_channel() -> None:
    merge = Merge(1)
    one, two = trade(time=0.1, exchange="A"), trade(time=0.15, exchange="B")
    assert merge.say(0, Batch(LiquidationOrders(), 100, (one,))) == ["A100", "%100"]
    assert merge.say(0, Batch(LiquidationOrders(), 150, (two,))) == []
    assert merge.say(0, Batch(LiquidationOrders(), 200, (trade(time=0.2, exchange="A"),))) == ["B150", "%150"]


def test_exchanges_may_share_a_batch() -> None:
    """Each of its events lets go of what waited for its own exchange."""
    merge = Merge(1)
    told = [trade(time=0.1, exchange="A"), trade(time=0.15, exchange="B"), trade(time=0.2, exchange="A")]
    assert merge.say(0, Batch(LiquidationOrders(), 200, tuple(told))) == ["A100", "%100", "B150", "%150"]


def test_ties_keep_the_order_of_arrival() -> None:
    """Events at the time that the order has come to are not late either."""
    merge = Merge()
    merge.say(0, at("A", 100))
    assert merge.say(1, at("B", 100, 100)) == ["A100", "B100", "%100", "B100"]
    assert merge.say(0, at("A", 100)) == ["A100"]
    assert merge.stream.stats.late == 0


def test_neighbouring_events_of_a_batch_go_out_together() -> None:
    """With the channel and the receive time that they came with."""
    merge = Merge()
    merge.say(0, at("A", 1, 2, 5, received=7), at("A", 6, received=8))
    merge.say(1, at("B", 3, 9, received=9))
    at_last = [at("A", 5, received=7), at("A", 6, received=8), Watermark(6)]
    assert merge.signals == [at("A", 1, 2, received=7), at("B", 3, received=9), Watermark(3), *at_last]


def test_a_batch_steps_on_with_each_of_its_events() -> None:
    """As if each had come alone, though the batch is looked at once; and an event from before the last one is late."""
    merge = Merge()
    merge.say(0, at("A", 10, 20, 30))
    assert merge.say(1, at("B", 15, 25)) == ["A10", "B15", "%15", "A20", "B25", "%25"]
    assert merge.say(1, at("B", 35, 24, 36)) == ["A30", "%30", "B24"]
    assert merge.stream.stats == cgrx.OrderStats(events=8, late=1, worst_late_ms=6)


def test_nothing_is_held_for_longer_than_max_delay() -> None:
    """On the stream's own clock: the receive time of any input moves it, and what was overdue goes out first."""
    merge = Merge(max_delay="500ms")
    assert merge.say(0, at("A", 100), at("A", 400)) == []
    assert merge.say(0, at("A", 599)) == []
    assert merge.say(0, at("A", 600)) == ["A100", "%100"]
    assert merge.say(1, at("B", 300, received=900)) == ["A400", "%400", "B300"]
    assert merge.stream.stats == cgrx.OrderStats(events=5, late=1, worst_late_ms=100)


def test_an_overdue_event_takes_the_earlier_ones_along() -> None:
    merge = Merge(max_delay="1s")
    merge.say(0, at("A", 800, received=1000), at("A", 500, received=1500))
    assert merge.say(0, at("A", 900, received=2000)) == ["A500", "A800", "%800"]


def test_proof_of_life_moves_the_clock_too() -> None:
    """Behind a quiet source, and only when every input of the connection has given it."""
    merge = Merge(max_delay="1s")
    merge.say(0, at("A", 100))
    assert merge.say_all(proof(1000)) == []
    assert merge.say(0, proof(1100)) == []
    assert merge.say(1, proof(1099)) == []
    assert merge.say(1, proof(1100)) == ["A100", "^1000", "^1099", "^1100", "%100"]


def test_a_proof_waits_for_the_events_that_came_before_it() -> None:
    merge = Merge()
    merge.say(0, at("A", 100), at("A", 200))
    assert merge.say_all(proof(210)) == []
    assert merge.say(1, at("B", 150)) == ["A100", "B150", "%150"]
    assert merge.say(1, at("B", 250)) == ["A200", "^210", "%200"]


def test_two_streams_of_one_connection_prove_once() -> None:
    merge = Merge()
    assert merge.say_all(proof(100)) == ["^100"]
    assert merge.say_all(proof(100)) == []
    assert merge.say(0, proof(300, "other")) == ["^300"]


def test_gaps_and_drops_pass_in_sequence() -> None:
    merge = Merge()
    assert merge.say(0, gap_of("A", 0, 10)) == ["[A]"]
    merge.say(0, at("A", 100))
    assert merge.say(0, gap_of("A", 100, 190), Dropped(channel_of("A"), 2, "test"), proof(190)) == []
    assert merge.say(1, proof(190)) == []
    assert merge.say(1, at("B", 110)) == ["A100", "[A]", "~~", "^190", "%100"]


def test_marks_between_which_no_event_came_keep_their_order() -> None:
    merge = Merge()
    merge.say(0, at("A", 100, 200, 300))
    merge.say(0, gap_of("A", 250, 290), proof(300))
    merge.say(1, proof(300), gap_of("B", 0, 310))
    assert merge.say(1, Watermark(300)) == ["A100", "A200", "A300", "[A]", "^300", "[B]", "%300"]


def test_a_gap_never_goes_out_behind_what_came_later() -> None:
    """Else a window could close without knowing of it: before a later event, a later watermark, or a late event."""
    merge = Merge()
    merge.say(0, at("A", 300))
    merge.say(0, gap_of("A", 50, 200))
    assert merge.say(1, at("B", 210)) == ["[A]", "B210", "%210"]
    merge.say(1, gap_of("B", 220, 230))
    assert merge.say(1, at("B", 150)) == ["[B]", "B150"]
    merge = Merge(3)
    merge.say(0, at("A", 300))
    merge.say(2, at("C", 205, 250))
    merge.say(0, gap_of("A", 50, 200))
    assert merge.say(1, at("B", 290)) == ["C205", "C250", "[A]", "%250"]


def test_in_proven_silence_the_watermark_follows_the_clock() -> None:
    merge = Merge(max_delay="1s")
    assert merge.say_all(proof(50)) == ["^50"]
    merge.say(0, at("A", 100, received=130))
    assert merge.say_all(proof(1200)) == ["A100", "^1200", "%100", "%170"]
    assert merge.say_all(proof(1200, "another")) == ["^1200"]
    assert merge.say_all(proof(3000)) == ["^3000"]
    assert merge.say_all(proof(2000, "another")) == ["^2000", "%970"]
    assert merge.say(1, at("B", 969, received=3100)) == ["B969"]
    assert merge.stream.stats.late == 1


def test_windows_behind_it_close_without_a_delay_of_their_own() -> None:
    """The watermark of the merge is believed, so `lateness` waits for nothing."""
    sources: tuple[Hot[Trade], ...] = (Hot(), Hot())
    merged = cgrx.merge_exchanges(*(each.stream for each in sources))
    rows: list[tuple[int, object]] = []
    merged.pipe(ops.tumbling("1s", n=agg.count())).subscribe(lambda row: rows.append((row.start_ms, row["n"])))
    sources[0].say(at("A", 100, 900, 1000))
    assert rows == []
    sources[1].say(at("B", 1000))
    assert rows == [(0, 2)]


def test_an_input_that_orders_itself_is_believed() -> None:
    """Its quiet exchanges hold nothing up a second time."""
    merge = Merge()
    merge.say(0, at("A", 100), at("C", 100))
    merge.say(1, at("B", 90), at("B", 200))
    assert merge.say(0, at("A", 300)) == []
    assert merge.say(0, watermark("0.3s")) == ["B200", "%200"]


def test_empty_inputs() -> None:
    alone: list[Signal[Trade]] = []
    assert play_timeline(cgrx.merge_exchanges, alone).completed
    merge = Merge()
    assert merge.say(0, at("A", received=50)) == []
    assert merge.say_all(proof(60)) == ["^60"]
    merge.end_input(0)
    merge.end_input(1)
    assert merge.end == "completed"


def test_without_a_delay_nothing_is_held() -> None:
    merge = Merge(max_delay=0)
    assert merge.say(0, at("A", 300, 200)) == ["A300", "%300", "A200"]
    assert merge.say(1, at("B", 100)) == ["B100"]
    assert merge.say(0, at("A", 500, 400)) == ["A500", "%500", "A400"], "not for the quiet source either"
    assert merge.stream.stats == cgrx.OrderStats(events=5, late=3, worst_late_ms=200)


def test_with_an_infinite_delay_every_source_is_waited_for() -> None:
    merge = Merge(max_delay=math.inf)
    merge.say(0, at("A", 100))
    assert merge.say_all(proof(10_000_000)) == []
    assert merge.say(1, at("B", 50)) == ["B50", "%50"]
    assert merge.say(1, at("B", 100)) == ["A100", "B100", "^10000000", "%100"]
    assert merge.say_all(proof(20_000_000)) == ["^20000000"]


def test_beyond_max_held_the_earliest_goes_out() -> None:
    merge = Merge(max_held=2)
    assert merge.say(0, at("A", 30, 20, 10)) == ["A10", "%10"]
    assert merge.say(0, at("A", 40, 15)) == ["A20", "%20", "A15"]
    assert merge.stream.stats == cgrx.OrderStats(events=5, late=1, worst_late_ms=5)


def test_beyond_max_held_events_of_one_time_go_out_together() -> None:
    """The order has come to their time then, so none of them need wait for a source any longer."""
    merge = Merge(max_held=2)
    assert merge.say(0, at("A", 10, 10)) == []
    assert merge.say(0, at("A", 20)) == ["A10", "A10", "%10"]
    assert merge.say(0, at("A", 20, 20)) == ["A20", "A20", "A20", "%20"]
    assert merge.say(0, at("A", 20)) == ["A20"]
    assert merge.stream.stats.late == 0


def test_a_mark_goes_out_while_a_later_one_waits() -> None:
    """Each waits for the events that came before it, and for no others."""
    merge = Merge()
    merge.say(0, at("A", 100))
    merge.say_all(proof(100))
    merge.say(0, at("A", 300))
    merge.say_all(proof(300))
    assert merge.say(1, at("B", 200)) == ["A100", "B200", "^100", "%200"]
    assert merge.say(1, at("B", 300)) == ["A300", "B300", "^300", "%300"]


def test_an_event_at_the_time_that_an_input_has_promised_goes_out_at_once() -> None:
    """Nothing earlier will follow from the other input, so nothing that could come before it."""
    merge = Merge()
    merge.say(1, Watermark(100))
    assert merge.say(0, at("A", 200)) == []
    assert merge.say(0, at("A", 100)) == ["A100", "%100"]


def test_what_has_waited_is_released_as_it_was() -> None:
    """Each event goes out exactly once: the same objects."""
    merge = Merge()
    first, second = at("A", 2, 1), at("B", 3)
    merge.say(0, first)
    merge.say(1, second)
    merge.end_input(0)
    merge.end_input(1)
    assert merge.events == [first.events[1], first.events[0], second.events[0]]
    assert all(any(event is each for each in first.events + second.events) for event in merge.events)


def test_behind_share() -> None:
    """One subscription to the inputs for all subscribers."""
    merge = Merge()
    source = merge.stream.share()
    heard: list[list[int]] = [[], []]
    for each in heard:
        source.pipe(ops.map(time_of)).subscribe(each.append)
    assert [each.subscribers for each in merge.inputs] == [2, 2]
    merge.say(0, at("A", 100))
    merge.say(1, at("B", 200))
    assert heard == [[100], [100]]


def test_inputs_that_are_shared() -> None:
    source: Hot[Trade] = Hot()
    shared = source.stream.share()
    big = cgrx.merge_exchanges(shared.pipe(ops.side("buy")), shared.pipe(ops.side("sell")))
    events: list[Trade] = []
    big.subscribe(events.append)
    sell = trade("sell", time="2s")
    source.say(batch(trade(time="1s"), sell, trade(time="2s")))
    assert [(each.side.name, each.time_ms) for each in events] == [("BUY", 1000), ("BUY", 2000), ("SELL", 2000)]
    assert source.subscribers == 1


def test_inputs_behind_a_foreign_operator() -> None:
    """They carry no marks; the events' own times are their clock."""
    source: Hot[Trade] = Hot()
    foreign = source.stream.pipe(rx.filter(is_trade))
    merged = cgrx.merge_exchanges(foreign, NEVER, max_delay="1s")
    heard: list[str] = []
    merged.signals().subscribe(lambda signal: heard.extend(short([signal])))
    source.say(at("A", 100), proof(5000), at("A", 1099), at("A", 1100))
    assert heard == ["A100", "%100"]


def test_stats_count_all_subscriptions_of_a_stream() -> None:
    merge = Merge(1)
    merge.stream.subscribe()
    merge.say(0, at("A", 2, 1))
    assert merge.stream.stats == cgrx.OrderStats(events=4, late=2, worst_late_ms=1)


def test_what_it_is() -> None:
    """An EventStream that knows what it carries, and the runtime of its inputs."""
    runtime = Notes()
    trades: Hot[Any] = Hot(runtime, Trade)
    liquidations: Hot[Any] = Hot(None, Liquidation)
    unknown: Hot[Any] = Hot()
    merged = cgrx.merge_exchanges(trades.stream, liquidations.stream)
    assert isinstance(merged, EventStream)
    assert merged.event_types == frozenset({Trade, Liquidation})
    assert merged.runtime is runtime
    assert cgrx.merge_exchanges(trades.stream, unknown.stream).event_types is None
    stats = merged.stats
    assert hash(stats) == hash(cgrx.OrderStats(0, 0, 0))


def test_one_event_may_be_held_alone() -> None:
    merge = Merge(max_held=1)
    assert merge.say(0, at("A", 100)) == []
    assert merge.say(0, at("A", 200)) == ["A100", "%100"]


def test_so_many_are_held_that_each_is_not_put_in_its_place() -> None:
    """One by one and far out of order; then the source that all wait for speaks. `sorted` is the oracle."""
    merge = Merge(max_delay=math.inf)
    times = [100 + number * 7919 % 3000 for number in range(3000)]
    for time_ms in times:
        assert merge.say(0, at("A", time_ms, received=5000)) == []
    merge.say(1, at("B", 1500, received=5000))
    merge.say(1, at("B", 6000, received=5000))
    out = [event.time_ms for event in merge.events if event.exchange == "A"]
    assert out == sorted(times)


def test_any_number_may_be_held_on_demand() -> None:
    merge = Merge(max_held=math.inf)
    merge.say(0, at("A", *range(1000), received=0))
    assert merge.events == []
