"""`cgrx.run`: what signals end in good order, what they cancel, and how main ends. All in this process."""

import logging
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Generator
from pathlib import Path
from typing import Any, TypeVar

import pytest
import trio
from trio.testing import MockClock

import cgrx
from cgrx import operators as ops
from cgrx._recording.writer import write_recording
from cgrx._simulator.faults import HangConnect, Refuse
from cgrx._simulator.simulator import Simulator
from cgrx.testing import liquidation
from tests.feed.feeding import Statuses, in_memory
from tests.replay.replaying import events, gap

T = TypeVar("T")

NUMBERS = (signal.SIGINT, signal.SIGTERM)


@pytest.fixture(autouse=True)
def _as_before(monkeypatch: pytest.MonkeyPatch) -> Generator[None]:
    """Each test leaves the handlers and the hook as they were. Its signals follow on one another at once."""
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    monkeypatch.setattr("cgrx._hosts.run.SAME_SIGNAL_S", 0.0)
    before = [signal.getsignal(number) for number in NUMBERS]
    yield
    assert [signal.getsignal(number) for number in NUMBERS] == before


def run_mock(main: Callable[[], Awaitable[T]], **options: Any) -> T:
    return cgrx.run(main, clock=MockClock(autojump_threshold=0), **options)


async def arrives(number: int) -> None:
    """The signal comes; the loop has had time to act on it."""
    signal.raise_signal(number)
    await trio.testing.wait_all_tasks_blocked()
    await trio.lowlevel.checkpoint()


# The first signal, with a feed that is open


async def watch(told: list[object], number: int) -> int:
    """Rows of an hour, which the signal cuts short."""
    async with Simulator(listen=False) as simulator:
        async with (
            cgrx.connect(**in_memory(simulator)) as feed,
            cgrx.stream(feed.liquidations().pipe(ops.tumbling("1h", ops.Flow, by="exchange"))) as rows,
        ):
            await trio.sleep(1)
            await simulator.send([liquidation(exchange="OKX")])
            await trio.sleep(1)
            signal.raise_signal(number)
            told.extend([(row.exchange, row.count) async for row in rows])
            await feed.run()
            told.append(feed.state)
        await simulator.wait_connections(0)
        await trio.sleep(1)
        told.append("behind")
    return 7


WATCHED = [("OKX", 1), cgrx.State.CLOSED, "behind"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_feeds_in_good_order(number: int) -> None:
    """Open windows come out, loops end, the code behind runs, and main's value is returned."""
    told: list[object] = []
    assert run_mock(lambda: watch(told, number)) == 7
    assert told == WATCHED


def test_ctrl_c_does_the_same_and_is_told_without_a_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    """`KeyboardInterrupt` leaves `run`. Where nobody catches it, Python prints nothing of it, and of others all."""
    told: list[object] = []
    for _ in range(2):
        told.clear()
        with pytest.raises(KeyboardInterrupt) as caught:
            run_mock(lambda: watch(told, signal.SIGINT))
        assert told == WATCHED
        sys.excepthook(KeyboardInterrupt, caught.value, None)
    assert capsys.readouterr().err == ""
    sys.excepthook(KeyboardInterrupt, KeyboardInterrupt("another"), None)
    assert capsys.readouterr().err == "KeyboardInterrupt: another\n"


def test_several_feeds_and_a_recorder(tmp_path: Path) -> None:
    """Live and replayed, in tasks of their own: each ends, and what was recorded is on disk."""
    write_recording(tmp_path / "old", [gap(0), events(1, liquidation()), events(3_600_000, liquidation())])
    ended: list[str] = []

    async def replayed() -> None:
        async with cgrx.replay(tmp_path / "old", speed=1) as feed:
            feed.liquidations().subscribe(on_completed=lambda: ended.append("replayed"))
            await feed.run()

    async def recorded(simulator: Simulator) -> None:
        async with (
            cgrx.connect(**in_memory(simulator)) as feed,
            cgrx.record(feed, tmp_path / "new", channels=["liquidationOrders"]),
        ):
            feed.liquidations().subscribe(lambda _: signal.raise_signal(signal.SIGTERM))
            await feed.run()
        ended.append("recorded")

    async def main() -> None:
        async with Simulator(listen=False) as simulator, trio.open_nursery() as nursery:
            nursery.start_soon(replayed)
            nursery.start_soon(recorded, simulator)
            await simulator.wait_subscribed("liquidationOrders")
            await simulator.send([liquidation()])

    cgrx.run(main)
    assert sorted(ended) == ["recorded", "replayed"]
    assert cgrx.Recording(tmp_path / "new").events == 1


def test_statuses_tell_the_end() -> None:
    """A signal is `aclose()` to a feed: its status ends without an error."""
    statuses = Statuses()

    async def main() -> None:
        async with Simulator(listen=False) as simulator, cgrx.connect(**in_memory(simulator)) as feed:
            statuses.watch(feed)
            await arrives(signal.SIGTERM)
            await feed.run()

    run_mock(main)
    assert statuses.completed
    assert statuses.all[-1] == cgrx.Ended(statuses.all[-1].at_ms, None)


# The first signal, with no feed that is open


def test_where_nothing_is_open_main_is_cancelled() -> None:
    """The exit status is 0, as a supervisor expects of a service that it stops."""

    async def main() -> None:
        await arrives(signal.SIGTERM)
        await trio.sleep_forever()

    with pytest.raises(SystemExit) as caught:
        run_mock(main)
    assert caught.value.code == 0


def test_ctrl_c_where_nothing_is_open() -> None:
    async def main() -> None:
        await arrives(signal.SIGINT)
        await trio.sleep_forever()

    with pytest.raises(KeyboardInterrupt):
        run_mock(main)


@pytest.mark.parametrize("fault", [HangConnect(), Refuse(how="tcp", connections=1000)])
def test_before_the_connection_main_is_cancelled(fault: Any) -> None:
    async def main() -> None:
        async with Simulator(listen=False, faults=[fault]) as simulator, trio.open_nursery() as nursery:
            nursery.start_soon(arrives, signal.SIGTERM)
            async with cgrx.connect(**in_memory(simulator)):
                raise AssertionError

    with pytest.raises(SystemExit) as caught:
        run_mock(main)
    assert caught.value.code == 0


def test_a_feed_opened_after_the_signal_is_cancelled() -> None:
    """A loop that opens its feed again does not keep the process alive."""
    opened: list[int] = []

    async def main() -> None:
        async with Simulator(listen=False) as simulator:
            while True:
                async with cgrx.connect(**in_memory(simulator)) as feed:
                    opened.append(len(opened))
                    await arrives(signal.SIGTERM)
                    await feed.run()

    with pytest.raises(SystemExit) as caught:
        run_mock(main)
    assert caught.value.code == 0
    assert opened == [0]


@pytest.mark.parametrize("connects", [False, True])
def test_a_connection_under_way_does_not_disturb_a_feed_that_is_open(connects: bool) -> None:
    """Main is cancelled when that feed has been left. A connection that comes before that is closed at once."""
    told: list[object] = []

    async def other(simulator: Simulator) -> None:
        async with cgrx.connect(**in_memory(simulator)) as feed:
            await feed.run()
            told.append("connected and closed")

    async def main() -> None:
        refusals = Refuse(how="tcp", connections=2 if connects else 1000)  # tries after 0, 0.5 and 1.5 seconds
        async with (
            Simulator(listen=False) as simulator,
            Simulator(listen=False, faults=[refusals]) as second,
            trio.open_nursery() as nursery,
        ):
            nursery.start_soon(other, second)
            async with cgrx.connect(**in_memory(simulator)) as feed:
                await arrives(signal.SIGTERM)
                await feed.run()
                await trio.sleep(5)
                told.append("open and closed")

    if connects:
        run_mock(main)
    else:
        with pytest.raises(SystemExit):
            run_mock(main)
    assert told == (["connected and closed"] if connects else []) + ["open and closed"]


def test_signals_before_main_has_begun_and_behind_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """One before cancels main at its first checkpoint; one behind changes nothing but that Ctrl-C is told."""
    begin = trio.run

    def early(*args: Any, **options: Any) -> Any:
        signal.raise_signal(signal.SIGTERM)
        return begin(*args, **options)

    def late(*args: Any, **options: Any) -> Any:
        returned = begin(*args, **options)
        signal.raise_signal(signal.SIGINT)
        return returned

    async def main() -> None:
        await trio.lowlevel.checkpoint()

    with monkeypatch.context() as patched:
        patched.setattr("trio.run", early)
        with pytest.raises(SystemExit):
            run_mock(main)
    with monkeypatch.context() as patched:
        patched.setattr("trio.run", late)
        with pytest.raises(KeyboardInterrupt):
            run_mock(main)


# What else is to end


def test_what_on_drain_keeps_is_stopped_in_place_of_main() -> None:
    """From the inside out; what is entered later is stopped at once."""
    told: list[object] = []

    async def main() -> str:
        with trio.CancelScope() as scope, cgrx.on_drain(scope.cancel), cgrx.on_drain(lambda: told.append("inner")):
            await arrives(signal.SIGTERM)
            await trio.sleep_forever()
        with trio.CancelScope() as late, cgrx.on_drain(late.cancel):
            await trio.sleep_forever()
        told.append("behind")
        return "value"

    assert run_mock(main, on_signal=told.append) == "value"
    assert told == [signal.SIGTERM, "inner", "behind"]


def test_on_drain_without_run() -> None:
    """It is never called; outside trio it says so."""

    async def main() -> None:
        with cgrx.on_drain(lambda: pytest.fail("called")):
            await trio.lowlevel.checkpoint()

    trio.run(main)
    with pytest.raises(cgrx.NotInTrioError, match=r"^on_drain\(\) needs a running trio loop"), cgrx.on_drain(print):
        pass


@pytest.mark.parametrize("by", ["on_signal", "on_drain"])
def test_what_stopping_raises_cancels_main_and_is_raised(by: str) -> None:
    def fails(*_: object) -> None:
        raise LookupError("cannot stop")

    async def main() -> None:
        with cgrx.on_drain(fails):
            await arrives(signal.SIGTERM)
            await trio.sleep_forever()

    with pytest.raises(LookupError, match="cannot stop"):
        run_mock(main, **({"on_signal": fails} if by == "on_signal" else {}))


# The second one, and the end of the time


@pytest.mark.parametrize(("first", "second"), [(15, 15), (2, 15), (15, 2), (2, 2)])
def test_a_second_signal_cancels_main(first: int, second: int) -> None:
    async def main() -> None:
        with cgrx.on_drain(lambda: None):
            await arrives(first)
            await trio.sleep(1)
            await arrives(second)
            await trio.sleep_forever()

    kind = KeyboardInterrupt if second == signal.SIGINT else SystemExit
    with pytest.raises(kind) as caught:
        run_mock(main)
    if isinstance(caught.value, SystemExit):
        assert caught.value.code == 128 + second


def test_signals_at_the_same_moment_are_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """`timeout` sends its signal to the process, and at once to the process group."""
    monkeypatch.setattr("cgrx._hosts.run.SAME_SIGNAL_S", 60.0)
    told: list[object] = []

    async def main() -> None:
        with cgrx.on_drain(lambda: told.append("asked")):
            await arrives(signal.SIGTERM)
            await arrives(signal.SIGTERM)
            await arrives(signal.SIGINT)
            await trio.sleep(5)
        told.append("behind")

    run_mock(main)
    assert told == ["asked", "behind"]


@pytest.mark.parametrize(("options", "limit_s"), [({}, 7.0), ({"drain": "1m"}, 60.0), ({"drain": 0}, 0.0)])
def test_the_time_to_drain_is_limited(
    options: dict[str, Any], limit_s: float, caplog: pytest.LogCaptureFixture
) -> None:
    """Then main is cancelled, as by a second signal, and one line says so."""

    async def main() -> None:
        with cgrx.on_drain(lambda: None):
            await arrives(signal.SIGTERM)
            begun_at = trio.current_time()
            try:
                await trio.sleep_forever()
            finally:
                assert trio.current_time() - begun_at == limit_s

    with caplog.at_level(logging.WARNING, "cgrx"), pytest.raises(SystemExit) as caught:
        run_mock(main, **options)
    assert caught.value.code == 143
    assert caplog.messages == [f"main has not ended within {limit_s:g} s of the signal: it is cancelled"]


@pytest.mark.parametrize(("numbers", "after_s"), [((15,), 9.0), ((15, 15), 2.0), ((15, 15, 2), 0.0)])
def test_what_shields_itself_ends_with_the_process(
    numbers: tuple[int, ...], after_s: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two seconds after it was cancelled, or at a third signal."""
    ended: list[tuple[int, float]] = []
    release = trio.Event()

    def end(status: int) -> None:
        ended.append((status, trio.current_time()))
        release.set()

    monkeypatch.setattr(os, "_exit", end)

    async def main() -> None:
        with cgrx.on_drain(lambda: None), trio.CancelScope(shield=True):
            for number in numbers:
                await arrives(number)
            await release.wait()
        await trio.lowlevel.checkpoint()

    with pytest.raises((SystemExit, KeyboardInterrupt)):
        run_mock(main)
    assert ended == [(128 + numbers[-1], after_s)]
