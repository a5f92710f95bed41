"""What a subscriber that raises ends, and what it does not: both policies, every place it can raise in."""

from collections.abc import Callable
from typing import Any

import pytest
import reactivex as rx
import trio
from reactivex import operators as rx_ops

import cgrx
from cgrx import operators as ops
from cgrx._simulator.simulator import Simulator
from tests.feed.feeding import Record, Statuses, feed_on, raises, record
from tests.simulator.simulating import liquidation
from tests.support import run_mock

ERRORS: dict[str, Callable[[], Exception]] = {
    "LookupError": lambda: LookupError("theirs"),
    "WouldBlock": trio.WouldBlock,
    "ClosedResourceError": trio.ClosedResourceError,
    "BrokenResourceError": trio.BrokenResourceError,
    "EndOfChannel": trio.EndOfChannel,
    "TooSlowError": trio.TooSlowError,
    "DisconnectedError": lambda: cgrx.DisconnectedError(1006, "not the connection's"),
    "PlanError": lambda: cgrx.PlanError("liquidationOrders", "not the server's"),
}


@pytest.fixture(params=ERRORS)
def error(request: pytest.FixtureRequest) -> Exception:
    """What a subscriber may raise: trio's exceptions and the feed's own among it. A new one for each test."""
    return ERRORS[request.param]()


def raising(error: BaseException) -> Callable[..., None]:
    def callback(*_: object) -> None:
        raise error

    return callback


def test_by_default_it_ends_the_feed_with_that_exception(error: Exception) -> None:
    """The same object, from `run()` and from the `async with`; siblings before and behind it miss nothing."""

    async def main() -> None:
        statuses = Statuses()
        async with Simulator(listen=False) as simulator:
            before, behind = Record(), Record()
            with raises(type(error)) as caught:
                async with feed_on(simulator) as feed:
                    statuses.watch(feed)
                    feed.liquidations().subscribe_signals(before)
                    feed.liquidations().subscribe(raising(error))
                    feed.liquidations().subscribe_signals(behind)
                    await trio.sleep(1)
                    await simulator.send([liquidation(1), liquidation(2)])
                    await feed.run()
            assert caught.value is error
            assert before.events == behind.events == [liquidation(1), liquidation(2)]
            assert before.end is behind.end is error
            assert [type(each).__name__ for each in statuses.all] == ["Connected", "SubscriberFailed", "Ended"]
            assert statuses.of(cgrx.Ended)[0].error is error
            assert statuses.feed.state is cgrx.State.FAILED
            assert (statuses.feed.stats.connections, statuses.feed.stats.attempts) == (1, 1), (
                "it was not the connection's fault"
            )

    run_mock(main)


def test_isolated_it_loses_its_own_subscription_alone(error: Exception) -> None:
    """The status says so, with the exception."""

    async def main() -> None:
        async with Simulator(listen=False) as simulator, feed_on(simulator, on_subscriber_error="isolate") as feed:
            statuses, other = Statuses(feed), record(feed.liquidations())
            feed.liquidations().subscribe(raising(error))
            await trio.sleep(1)
            await simulator.send([liquidation(1), liquidation(2)])
            await trio.sleep(1)
            assert other.events == [liquidation(1), liquidation(2)]
            assert [each.error for each in statuses.of(cgrx.SubscriberFailed)] == [error]
            assert feed.stats.subscribers == 1
            assert feed.stats.connections == 1

    run_mock(main)


def test_a_group_of_a_subscriber_s_own_stays_a_group() -> None:
    """It was raised as one; trio copies groups where a cancelled scope is left."""

    async def main() -> None:
        async with Simulator(listen=False) as simulator:
            with raises(ExceptionGroup, match="theirs") as caught:
                async with feed_on(simulator) as feed:
                    feed.liquidations().subscribe(raising(ExceptionGroup("theirs", [LookupError("one")])))
                    await trio.sleep(1)
                    await simulator.send(liquidation(1))
                    await feed.run()
            assert [str(error) for error in caught.value.exceptions] == ["one"]

    run_mock(main)


def test_a_stop_iteration_is_no_end_of_anything() -> None:
    """As from `next()` of something empty: Python lets none leave a coroutine, and makes it a RuntimeError."""

    async def main() -> None:
        async with Simulator(listen=False) as simulator:
            with raises(RuntimeError, match="StopIteration") as caught:
                async with feed_on(simulator) as feed:
                    feed.liquidations().subscribe(lambda _: print(next(iter(()))))  # noqa: T201 - never printed
                    await trio.sleep(1)
                    await simulator.send(liquidation(1))
                    await trio.sleep_forever()
            assert isinstance(caught.value.__cause__, StopIteration)

    run_mock(main)


def test_siblings_without_on_error_are_not_blamed_for_it() -> None:
    """The status names one subscriber that failed, however many streams end with its error."""

    async def main() -> None:
        statuses = Statuses()
        async with Simulator(listen=False) as simulator:
            with raises(LookupError):
                async with feed_on(simulator) as feed:
                    statuses.watch(feed)
                    feed.liquidations().subscribe(print)
                    feed.liquidations().subscribe(raising(LookupError("theirs")))
                    feed.liquidations().pipe(rx_ops.count()).subscribe(print)
                    await trio.sleep(1)
                    await simulator.send(liquidation(1))
                    await feed.run()
            assert len(statuses.of(cgrx.SubscriberFailed)) == 1
            assert statuses.of(cgrx.StreamFailed) == []

    run_mock(main)


def test_raised_behind_a_timed_operator_it_is_the_subscriber_s_too(error: Exception) -> None:
    """There the scheduler calls it, seconds later."""

    async def main() -> None:
        other = Record()
        async with Simulator(listen=False) as simulator:
            with raises(type(error)) as caught:
                async with feed_on(simulator) as feed:
                    feed.liquidations().subscribe_signals(other)
                    feed.liquidations().pipe(rx_ops.delay(3.0)).subscribe(raising(error))
                    await trio.sleep(1)
                    await simulator.send(liquidation(1))
                    await trio.sleep(2)
                    await simulator.send(liquidation(2))
                    await feed.run()
            assert caught.value is error
            assert trio.current_time() == 4
            assert other.events == [liquidation(1), liquidation(2)]

    run_mock(main)


def test_raised_in_an_action_of_the_scheduler_it_is_the_subscriber_s_too() -> None:
    """Isolated, the scheduler goes on."""

    async def main() -> None:
        async with Simulator(listen=False) as simulator, feed_on(simulator, on_subscriber_error="isolate") as feed:
            statuses, ran = Statuses(feed), list[float]()

            def note(*_: object) -> None:
                ran.append(trio.current_time())

            feed.scheduler.schedule_relative(1, raising(LookupError("an action's")))
            feed.scheduler.schedule_relative(2, note)
            await trio.sleep(5)
            assert [str(each.error) for each in statuses.of(cgrx.SubscriberFailed)] == ["an action's"]
            assert ran == [2]

    run_mock(main)


@pytest.mark.parametrize("policy", ["raise", "isolate"])
def test_raised_in_on_completed_it_counts_as_well(policy: str) -> None:
    """The others complete; by default the `async with` raises it."""

    async def main() -> None:
        statuses = Statuses()
        other = Record()
        error, raised = LookupError("at the end"), None
        async with Simulator(listen=False) as simulator:
            try:
                async with feed_on(simulator, on_subscriber_error=policy) as feed:
                    statuses.watch(feed)
                    feed.liquidations().subscribe(None, None, raising(error))
                    feed.liquidations().subscribe_signals(other)
            except LookupError as caught:
                raised = caught
            assert raised is (error if policy == "raise" else None)
            assert other.end == "completed"
            assert statuses.of(cgrx.Ended)[0].error is raised
            assert statuses.feed.state is (cgrx.State.FAILED if policy == "raise" else cgrx.State.CLOSED)

    run_mock(main)


@pytest.mark.parametrize("policy", ["raise", "isolate"])
def test_raised_in_on_error_it_counts_as_well(policy: str) -> None:
    """Here on a plan too low, which the handler makes worse."""

    async def main() -> None:
        statuses = Statuses()
        other = Record()
        error, raised = LookupError("in the handler"), None
        async with Simulator(listen=False, need_upgrade=["liquidationOrders"]) as simulator:
            try:
                async with feed_on(simulator, on_subscriber_error=policy) as feed:
                    statuses.watch(feed)
                    feed.liquidations().subscribe_signals(other)
                    feed.liquidations().subscribe(None, raising(error))
                    await trio.sleep(1)
            except LookupError as caught:
                raised = caught
            assert raised is (error if policy == "raise" else None)
            assert isinstance(other.end, cgrx.PlanError)
            assert [each.error for each in statuses.of(cgrx.SubscriberFailed)] == [error]

    run_mock(main)


@pytest.mark.parametrize("policy", ["raise", "isolate"])
def test_a_subscriber_of_the_status_may_raise_as_well(policy: str) -> None:
    """Here in the middle of a reconnect, which goes on."""

    async def main() -> None:
        statuses = Statuses()
        error, raised = LookupError("of the status"), None
        async with Simulator(listen=False) as simulator:
            try:
                async with feed_on(simulator, on_subscriber_error=policy) as feed:
                    feed.status.subscribe(
                        lambda status: raising(error)() if isinstance(status, cgrx.Disconnected) else None
                    )
                    statuses.watch(feed)
                    await trio.sleep(1)
                    await simulator.close_all()
                    await trio.sleep(10)
            except LookupError as caught:
                raised = caught
            assert raised is (error if policy == "raise" else None)
            assert [each.error for each in statuses.of(cgrx.SubscriberFailed)] == [error]
            assert len(statuses.of(cgrx.Disconnected)) == 1
            assert simulator.stats.connections_total == (1 if policy == "raise" else 2)

    run_mock(main)


def test_a_status_subscriber_that_raises_at_the_very_end_is_heard() -> None:
    """When the feed has ended already: the `async with` raises it."""

    async def main() -> None:
        error = LookupError("too late")
        async with Simulator(listen=False) as simulator:
            with pytest.raises(LookupError) as caught:
                async with feed_on(simulator) as feed:
                    feed.status.subscribe(None, None, raising(error))
            assert caught.value is error

    run_mock(main)


def test_a_subscriber_that_raises_behind_the_end_of_the_feed_is_heard() -> None:
    """A body that goes on after `aclose()` is cancelled as by any other failure."""

    async def main() -> None:
        error = LookupError("after the end")
        async with Simulator(listen=False) as simulator:
            with raises(LookupError) as caught:
                async with feed_on(simulator) as feed:
                    await feed.aclose()
                    feed.scheduler.schedule_relative(5, raising(error))
                    await trio.sleep(100)
            assert caught.value is error
            assert trio.current_time() == 5

    run_mock(main)


def test_only_the_first_of_several_errors_ends_the_feed() -> None:
    """The status has them all."""

    async def main() -> None:
        statuses = Statuses()
        first, second = LookupError("first"), LookupError("second")
        async with Simulator(listen=False) as simulator:
            with raises(LookupError) as caught:
                async with feed_on(simulator) as feed:
                    statuses.watch(feed)
                    feed.liquidations().subscribe(raising(first))
                    feed.liquidations().subscribe(raising(second))
                    await trio.sleep(1)
                    await simulator.send(liquidation(1))
                    await feed.run()
            assert caught.value is first
            assert [each.error for each in statuses.of(cgrx.SubscriberFailed)] == [first, second]

    run_mock(main)


def test_a_function_of_a_stage_that_raises_goes_to_on_error() -> None:
    """With what came before it delivered; handled there, it ends that stream alone."""

    async def main() -> None:
        async with Simulator(listen=False) as simulator, feed_on(simulator) as feed:
            statuses, got, errors, other = Statuses(feed), list[Any](), list[Exception](), record(feed.liquidations())

            def check(event: cgrx.Liquidation) -> bool:
                if event.time_ms == 2_000:
                    raise LookupError("theirs")
                return True

            feed.liquidations().pipe(ops.where(check)).subscribe(got.append, errors.append)
            await trio.sleep(1)
            await simulator.send([liquidation(1), liquidation(2), liquidation(3)])
            await trio.sleep(1)
            assert got == [liquidation(1)]
            assert [str(error) for error in errors] == ["theirs"]
            assert len(other.events) == 3
            assert statuses.of(cgrx.SubscriberFailed) == []

    run_mock(main)


def test_without_on_error_a_function_that_raises_ends_the_feed() -> None:
    """It is the subscriber's as well: nothing of the user's gets lost silently."""

    async def main() -> None:
        async with Simulator(listen=False) as simulator:
            with raises(ZeroDivisionError):
                async with feed_on(simulator) as feed:
                    feed.liquidations().map(lambda event: event.time_ms // 0).subscribe(print)
                    await trio.sleep(1)
                    await simulator.send(liquidation(1))
                    await feed.run()

    run_mock(main)


@pytest.mark.parametrize("fatal", [KeyboardInterrupt, SystemExit])
@pytest.mark.parametrize("delayed", [False, True])
def test_ctrl_c_in_a_subscriber_leaves_plain(fatal: type[BaseException], delayed: bool) -> None:
    """Not isolated, not in a group, with nothing left behind."""

    async def main() -> None:
        async with Simulator(listen=False) as simulator:
            with raises(fatal):
                async with feed_on(simulator, on_subscriber_error="isolate") as feed:
                    stream: rx.Observable[Any] = feed.liquidations()
                    if delayed:
                        stream = stream.pipe(rx_ops.delay(1.0))
                    stream.subscribe(raising(fatal()))
                    await trio.sleep(1)
                    await simulator.send(liquidation(1))
                    await trio.sleep_forever()
            await simulator.wait_connections(0)

    run_mock(main)
