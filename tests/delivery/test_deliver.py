"""`cgrx.sinks.deliver`: batches by size and by time, in order; running rows superseded; what leaving does."""

import math
from collections.abc import Sequence
from typing import Any

import pytest
import trio
import trio.testing
from hypothesis import given
from hypothesis import strategies as st

import cgrx
from cgrx import NotInTrioError, sinks
from cgrx._model.signals import Alive, Batch
from cgrx.testing import liquidation
from tests.delivery.systems import System, delivering, flow, require_balance
from tests.streams.streaming import Hot, Notes
from tests.support import run_mock


def test_items_arrive_in_order_in_batches_of_the_size_asked_for() -> None:
    async def main() -> None:
        system = System()
        async with delivering(system, batch=3) as delivery:
            delivery.give(*range(7))
            await trio.testing.wait_all_tasks_blocked()
            assert [len(batch) for batch in system.batches] == [3, 3]
            await trio.sleep(1.01)
            assert [len(batch) for batch in system.batches] == [3, 3, 1]
        assert system.items == list(range(7))
        assert (system.opened, system.closed) == (1, 1)

    run_mock(main)


def test_an_item_waits_no_longer_than_asked_for_others_to_join_it() -> None:
    async def main() -> None:
        system = System()
        async with delivering(system, every="250ms") as delivery:
            delivery.give(1)
            await trio.sleep(0.2)
            delivery.give(2)
            assert system.calls == []
            begun = trio.current_time()
            await trio.sleep(0.06)
            assert system.batches == [[1, 2]]
            assert system.calls[0][0] - begun == pytest.approx(0.05)

    run_mock(main)


def test_leaving_delivers_what_waits() -> None:
    async def main() -> None:
        system = System()
        async with delivering(system, every="1h", batch=2) as delivery:
            delivery.give(1, 2, 3, 4, 5)
        assert system.items == [1, 2, 3, 4, 5]
        assert delivery.sink.stats == sinks.SinkStats(5, 5, 0, 0, 0, 0, 0, 0, 3, 0, None)
        assert delivery.source.subscribers == 0

    run_mock(main)


def test_leaving_is_bounded_and_what_is_left_then_is_counted_and_told() -> None:
    async def main() -> None:
        system = System(away=OSError("no route"))
        begun = trio.current_time()
        async with delivering(system, drain="3s") as delivery:
            delivery.give(1, 2, 3)
        assert trio.current_time() - begun == pytest.approx(3)
        stats = delivery.sink.stats
        assert (stats.dropped, stats.delivered, stats.queued) == (3, 0, 0)
        assert delivery.told[-1] == "Undelivered: a system: 3 not delivered: left before they were delivered"

    run_mock(main)


def test_a_cancelled_body_leaves_as_well() -> None:
    async def main() -> None:
        system = System()
        with trio.move_on_after(0.5) as scope:
            async with delivering(system, every="1h") as delivery:
                delivery.give(1, 2)
                await trio.sleep_forever()
        assert scope.cancelled_caught
        assert system.items == [1, 2]

    run_mock(main)


def test_what_the_body_raises_is_raised_as_it_is() -> None:
    async def main() -> None:
        source: Hot[int] = Hot()
        with pytest.raises(KeyError, match="mine"):
            async with sinks.deliver(System().write, source.stream):
                raise KeyError("mine")

    run_mock(main)


def test_flush_waits_for_what_has_come_and_for_nothing_else() -> None:
    async def main() -> None:
        system = System(answers_after_s=1.0)
        async with delivering(system, every="1h", batch=2) as delivery:
            await delivery.sink.flush()
            delivery.give(1, 2, 3)
            async with trio.open_nursery() as nursery:
                nursery.start_soon(delivery.sink.flush)
                await trio.sleep(1.5)
                delivery.give(4)
            delivery.give(5)
            await trio.sleep(60)
            assert system.batches == [[1, 2], [3], [4]]  # nobody is in a hurry any more

    run_mock(main)


def test_a_running_row_is_replaced_by_a_later_one_of_its_window() -> None:
    async def main() -> None:
        system = System()
        async with delivering(system) as delivery:
            delivery.give(flow(0, 1, final=False), flow(0, 1, asset="ETH", final=False), flow(0, 2, final=False))
            delivery.give(flow(0, 3))
            await delivery.sink.flush()
            assert system.items == [flow(0, 1, asset="ETH", final=False), flow(0, 3)]
            assert delivery.sink.stats.superseded == 2

    run_mock(main)


def test_a_running_row_keeps_its_place_and_what_withdraws_it_comes_last() -> None:
    async def main() -> None:
        system = System()
        async with delivering(system) as delivery:
            delivery.give(flow(0, 1, final=False), flow(5), flow(0, 2, final=False))
            delivery.give(flow(1, 1, final=False), flow(1, 1, withdrawn=True), flow(1, 9, final=False))
            await delivery.sink.flush()
            assert system.items == [
                flow(0, 2, final=False),
                flow(5),
                flow(1, 1, withdrawn=True),
                flow(1, 9, final=False),
            ]

    run_mock(main)


def test_running_rows_can_be_left_out() -> None:
    async def main() -> None:
        system = System()
        async with delivering(system, final_only=True) as delivery:
            delivery.give(flow(0, 1, final=False), flow(0, 2), flow(1, withdrawn=True), liquidation())
        assert system.items == [flow(0, 2), liquidation()]
        assert delivery.sink.stats.received == 2

    run_mock(main)


def test_where_room_is_short_running_rows_go_first_and_then_the_oldest() -> None:
    async def main() -> None:
        system = System(away=OSError("no route"))
        async with delivering(system, buffer=3, batch=3, every="1h", drain="0s") as delivery:
            delivery.give(flow(0), flow(9, final=False), flow(1))
            delivery.give(flow(2))
            assert delivery.told == ["Undelivered: a system: 1 not delivered: 3 wait already"]
            system.away = None
            await delivery.sink.flush()
            assert system.items == [flow(0), flow(1), flow(2)]
            system.away = OSError("no route")
            delivery.give(*map(flow, range(3, 8)))
            assert delivery.sink.stats.dropped == 3

    run_mock(main)


def test_a_flood_of_losses_is_no_flood_of_statuses() -> None:
    async def main() -> None:
        system = System(answers_after_s=20.0)
        async with delivering(system, buffer=1, batch=1, drain="0s") as delivery:
            for number in range(100):
                delivery.give(number)
                await trio.sleep(0.1)
        told = [status for status in delivery.statuses if isinstance(status, cgrx.Undelivered)]
        assert len(told) <= 11
        assert sum(status.count for status in told) == delivery.sink.stats.dropped

    run_mock(main)


def test_a_replay_at_full_speed_waits_for_the_sink() -> None:
    async def main() -> None:
        system = System()
        async with delivering(system, waits=True, buffer=4, batch=2, every="1s") as delivery:
            delivery.give(*range(5))
            delivery.give(*range(5, 8))
            assert delivery.notes.holds == 1
            await trio.testing.wait_all_tasks_blocked()
            assert delivery.notes.holds == 0
            assert system.items == list(range(8))
            delivery.give(*range(8, 14))
            assert delivery.notes.holds == 1
        assert delivery.notes.holds == 0
        assert delivery.sink.stats.dropped == 0

    run_mock(main)


def test_the_end_of_the_rows_is_the_feeds_to_tell() -> None:
    async def main() -> None:
        system = System()
        async with delivering(system) as delivery:
            delivery.give(1)
            error = RuntimeError("the pipeline")
            delivery.source.fail(error)
            assert delivery.notes.unheard == [error]
        assert system.items == [1]

    run_mock(main)


def test_rows_of_no_feed_have_their_statuses_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")

    async def main() -> None:
        source: Hot[int] = Hot()
        system = System(failures=[OSError("no route")])
        async with sinks.deliver(system.write, source.stream, name="mine") as sink:
            source.say(Alive("a", 1), Batch(None, 0, (1,)))
            await sink.flush()
            source.fail(RuntimeError("the pipeline"))
        assert (repr(sink), sink.name) == ("<Sink mine>", "mine")
        assert system.items == [1]

    run_mock(main)
    assert [record.getMessage().split(";")[0] for record in caplog.records] == [
        "mine: OSError: no route",
        "mine: delivering again",
        "a stream without on_error has failed: the pipeline",
    ]


def test_a_source_that_completes_leaves_the_rest_to_be_delivered() -> None:
    async def main() -> None:
        system = System()
        async with delivering(system, every="1h") as delivery:
            delivery.give(1)
            delivery.source.complete()
        assert system.items == [1]

    run_mock(main)


_ITEMS = st.one_of(
    st.integers(0, 9),
    st.builds(
        flow,
        st.integers(0, 3),
        st.integers(0, 5).map(float),
        asset=st.sampled_from(["BTC", "ETH"]),
        final=st.booleans(),
    ),
    st.builds(flow, st.integers(0, 3), asset=st.sampled_from(["BTC", "ETH"]), withdrawn=st.just(True)),
)


@given(
    st.lists(st.lists(_ITEMS, min_size=1, max_size=6), max_size=8),
    st.integers(1, 5),
    st.lists(st.sampled_from([None, OSError("no route"), ValueError("half")]), max_size=6),
)
def test_what_stands_in_the_end_is_what_was_said_last(
    gives: list[list[Any]], batch: int, failures: list[Exception | None]
) -> None:
    """Whatever is superseded, and however often a batch is written: an upserting system ends with the same rows."""

    def upserted(items: Sequence[Any], final_too: dict[Any, Any]) -> dict[Any, Any]:
        for item in items:
            if isinstance(item, int):
                continue
            if item.withdrawn:
                final_too.pop(item.identity, None)
            else:
                final_too[item.identity] = item
        return final_too

    async def main() -> None:
        system = System(failures=[each if not isinstance(each, ValueError) else OSError() for each in failures])
        async with delivering(system, batch=batch, every="100ms", drain="1h") as delivery:
            for items in gives:
                delivery.give(*items)
                await trio.sleep(0.05)
        said = [item for items in gives for item in items]
        assert upserted(system.items, {}) == upserted(said, {})
        assert [item for item in system.items if isinstance(item, int)] == [
            item for item in said if isinstance(item, int)
        ]
        assert delivery.sink.stats.dropped == delivery.sink.stats.dead == 0

    run_mock(main)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"batch": 0}, ValueError, "batch=0 must be a whole number, at least 1"),
        ({"batch": True}, ValueError, "batch=True must be"),
        ({"buffer": 1.5}, ValueError, "buffer=1.5 must be"),
        ({"batch": 10, "buffer": 9}, ValueError, "batch=10 is more than may wait: give buffer=9"),
        ({"every": "soon"}, ValueError, "every='soon' is not a duration"),
        ({"drain": -1}, ValueError, "drain=-1 must not be negative"),
        ({"retries": 3}, TypeError, "'retries' is no option of a sink; those are batch, every, buffer"),
    ],
)
def test_options_that_cannot_be_used(options: dict[str, Any], error: type[Exception], message: str) -> None:
    async def main() -> None:
        source: Hot[int] = Hot()
        with pytest.raises(error, match=message):
            sinks.deliver(System().write, source.stream, **options)

    run_mock(main)


def test_arguments_that_cannot_be_used() -> None:
    async def main() -> None:
        source: Hot[int] = Hot()
        nothing: Any = None
        with pytest.raises(TypeError, match=r"write=None is no function: give a function of a batch"):
            sinks.deliver(nothing, source.stream)
        with pytest.raises(TypeError, match=r"None is no Observable"):
            sinks.deliver(System().write, nothing)
        opening: Any = sinks.deliver(System().write, source.stream)
        with pytest.raises(TypeError, match=r"cgrx.sinks.deliver\(\) cannot be awaited: `async with"):
            await opening

    with pytest.raises(NotInTrioError, match=r"cgrx.sinks.deliver\(\) needs a running trio loop"):
        sinks.deliver(System().write, Hot[int]().stream)
    run_mock(main)


def test_a_sink_that_never_drains_may_be_asked_for() -> None:
    async def main() -> None:
        system = System(away=OSError("no route"))
        async with delivering(system, drain=math.inf) as delivery:
            delivery.give(1)
            await trio.sleep(300)
            system.away = None
        assert system.items == [1]

    run_mock(main)


def test_types_that_are_known_are_told_when_the_system_is_opened() -> None:
    async def main() -> None:
        system = System()
        async with delivering(system, cgrx.Trade):
            pass
        assert system.types == {cgrx.Trade}

    run_mock(main)


def test_stats_are_a_snapshot() -> None:
    async def main() -> None:
        async with delivering(System()) as delivery:
            before = delivery.sink.stats
            delivery.give(1)
            assert before.received == 0
            require_balance(before)
            assert await trio.to_thread.run_sync(lambda: delivery.sink.stats.received) == 1

    run_mock(main)


def test_of_rows_of_several_feeds_the_first_one_tells() -> None:
    async def main() -> None:
        first, second = Notes(), Notes()
        one, other = Hot[int](first), Hot[int](second)
        system = System(failures=[OSError("no route")])
        async with sinks.deliver(system.write, one.stream.merge(other.stream), every="0s") as sink:
            one.say(Batch(None, 0, (1,)))
            other.say(Batch(None, 0, (2,)))
            await sink.flush()
        assert sorted(system.items) == [1, 2]
        assert len(first.told) == 2
        assert second.told == []

    run_mock(main)
