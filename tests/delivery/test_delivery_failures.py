"""Systems that are away, slow, refuse data or their user: what is tried again, what is given up, what is told."""

import json
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import trio
import trio.testing

from cgrx import DeliveryHeld, DeliveryResumed, sinks
from cgrx.testing import liquidation
from tests.delivery.systems import System, delivering, flow
from tests.support import run, run_mock


def test_a_batch_is_written_until_it_is_acknowledged() -> None:
    async def main() -> None:
        system = System(failures=[OSError("no route")] * 5)
        async with delivering(system, batch=2) as delivery:
            delivery.give(1, 2)
            await trio.sleep(10)
            assert system.batches == [[1, 2]]
            assert [count for _, count in system.calls] == [2] * 6
            assert (system.opened, system.closed) == (6, 5)  # a new connection each time
            assert delivery.sink.stats.retries == 5
            assert delivery.sink.stats.batches == 1
            assert [type(status) for status in delivery.statuses] == [DeliveryHeld, DeliveryResumed]

    run_mock(main)


def test_delays_double_up_to_a_bound_and_are_chosen_below_it(monkeypatch: pytest.MonkeyPatch) -> None:
    bounds: list[tuple[float, float]] = []

    def uniform(low: float, high: float) -> float:
        bounds.append((low, high))
        return high

    monkeypatch.setattr("cgrx._delivery.courier.random.uniform", uniform)

    async def main() -> None:
        system = System(failures=[OSError("no route")] * 11)
        async with delivering(system, batch=1) as delivery:
            delivery.give(1)
            await trio.sleep(300)
            assert system.items == [1]
            times = [at for at, _ in system.calls]
            assert [b - a for a, b in pairwise(times)] == pytest.approx([high for _, high in bounds])
            system.failures = [OSError("no route")]
            delivery.give(2)
            await trio.sleep(1)
            assert system.items == [1, 2]

    run_mock(main)
    assert [high for _, high in bounds] == pytest.approx([0.1 * 2**n for n in range(9)] + [30.0, 30.0, 0.1])
    assert {low for low, _ in bounds} == {0}


def test_who_asks_to_wait_is_obeyed_over_the_same_connection() -> None:
    async def main() -> None:
        system = System(
            failures=[sinks.SinkUnavailableError("slow down", 7.0), sinks.SinkUnavailableError("for ever", 1e9)]
        )
        async with delivering(system, batch=1) as delivery:
            delivery.give(1)
            await trio.sleep(1)
            await delivery.sink.flush()
            first, second, third = (at for at, _ in system.calls)
            assert (second - first, third - second) == pytest.approx((7.0, 300.0))
            assert (system.opened, system.closed) == (1, 0)

    run_mock(main)


def test_each_new_reason_is_told_once() -> None:
    async def main() -> None:
        system = System(failures=[OSError("no route"), OSError("no route"), EOFError("cut off"), EOFError("cut off")])
        async with delivering(system, batch=1) as delivery:
            delivery.give(1)
            await trio.sleep(60)
            held = [status for status in delivery.statuses if isinstance(status, DeliveryHeld)]
            assert [str(status.error) for status in held] == ["OSError: no route", "EOFError: cut off"]
            assert "trying again in" in str(held[0])
            assert delivery.told[-1] == "DeliveryResumed: a system: delivering again"
            assert delivery.sink.stats.error is None

    run_mock(main)


def test_what_holds_a_sink_up_is_in_its_stats() -> None:
    async def main() -> None:
        system = System(away=OSError("no route"))
        async with delivering(system, batch=1, drain="0s") as delivery:
            delivery.give(1)
            await trio.sleep(1)
            assert str(delivery.sink.stats.error) == "OSError: no route"
            assert delivery.sink.stats.in_flight == 1

    run_mock(main)


def test_a_system_that_does_not_answer_is_away() -> None:
    async def main() -> None:
        system = System(answers_after_s=100.0)
        async with delivering(system, batch=1) as delivery:
            delivery.give(1)
            await trio.sleep(29)
            assert not delivery.statuses
            system.answers_after_s = 0
            await trio.sleep(2)
            assert "no acknowledgement within 30 s" in delivery.told[0]
            assert system.items == [1]

    run_mock(main)


@pytest.mark.parametrize("refusal", [sinks.SinkDataError("no good"), ValueError("no good"), KeyError("asset")])
def test_refused_items_are_found_and_the_others_arrive(refusal: Exception, tmp_path: Path) -> None:
    letters = tmp_path / "dead.jsonl"

    class Picky(System):
        async def write(self, batch: Sequence[Any], /) -> None:
            if {flow(3), flow(11)} & set(batch):
                raise refusal
            self.batches.append(list(batch))

    async def main() -> None:
        system = Picky()
        async with delivering(system, batch=16, dead_letters=letters) as delivery:
            delivery.give(*map(flow, range(16)))
            await delivery.sink.flush()
            stats = delivery.sink.stats
            assert (stats.delivered, stats.dead, stats.retries) == (14, 2, 0)
            assert system.items == [flow(n) for n in range(16) if n not in (3, 11)]
            assert not any(isinstance(status, DeliveryHeld) for status in delivery.statuses)

    run(main)
    lines = [json.loads(line) for line in letters.read_text().splitlines()]
    assert [line["item"]["start_ms"] for line in lines] == [180_000, 660_000]
    assert lines[0]["item"] == flow(3).asdict()
    assert {line["sink"] for line in lines} == {"a system"}
    assert all(("no good" in line["reason"] or "asset" in line["reason"]) for line in lines)


def test_refused_items_are_told_and_counted_without_a_file_too() -> None:
    async def main() -> None:
        system = System(refuses=lambda item: item == 2)
        async with delivering(system, batch=3) as delivery:
            delivery.give(1, 2, 3)
            await delivery.sink.flush()
            assert system.items == [1, 3]
            assert delivery.told == ["Undelivered: a system: 1 not delivered: it is no good"]

    run_mock(main)


def test_a_system_that_goes_away_while_a_batch_is_halved() -> None:
    async def main() -> None:
        system = System(
            failures=[sinks.SinkDataError("one of them"), OSError("no route"), None, OSError("no route")],
            refuses=lambda item: item == 4,
        )
        async with delivering(system, batch=4) as delivery:
            delivery.give(1, 2, 3, 4)
            await trio.sleep(30)
            assert system.items == [1, 2, 3]
            assert delivery.sink.stats.dead == 1

    run_mock(main)


def test_dead_letters_hold_whatever_it_was(tmp_path: Path) -> None:
    letters = tmp_path / "dead.jsonl"

    async def main() -> None:
        async with delivering(System(refuses=lambda _: True), dead_letters=letters) as delivery:
            delivery.give(liquidation(), {"é": 1}, object)

    run(main)
    items = [json.loads(line)["item"] for line in letters.read_text().splitlines()]
    assert items == [liquidation().asdict(), {"é": 1}, "<class 'object'>"]


def test_dead_letters_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        with pytest.raises(FileNotFoundError):
            async with delivering(System(), dead_letters=tmp_path / "no" / "dead.jsonl"):
                pytest.fail("it was entered")
        monkeypatch.setattr("cgrx._delivery.dead_letters.DEAD_LETTER_BYTES", 10)
        async with delivering(System(refuses=lambda _: True), dead_letters=tmp_path / "dead.jsonl") as delivery:
            delivery.give(1)
        assert delivery.sink.stats.dead == 1
        assert "it is no good; and it is not in the dead-letter file: " in delivery.told[0]
        assert "has reached its bound of 10 bytes" in delivery.told[0]

    run(main)


@pytest.mark.parametrize("refusal", [sinks.SinkRefusedError("no table bars"), ValueError("no table bars")])
def test_who_is_refused_at_the_start_does_not_enter(refusal: Exception) -> None:
    async def main() -> None:
        system = System(open_failures=[refusal])
        with pytest.raises(sinks.SinkRefusedError, match="no table bars"):
            async with delivering(system):
                pytest.fail("it was entered")
        assert system.closed == 1

    run_mock(main)


def test_who_is_away_at_the_start_is_waited_for() -> None:
    async def main() -> None:
        system = System(open_failures=[OSError("no route"), OSError("no route")])
        async with delivering(system, batch=1) as delivery:
            assert "OSError: no route" in delivery.told[0]
            delivery.give(1)
            await trio.sleep(5)
            assert system.items == [1]

    run_mock(main)


def test_a_system_that_does_not_let_in_is_waited_for_in_the_background() -> None:
    class Silent(System):
        async def open(self, types: frozenset[type]) -> None:
            await trio.sleep_forever()

    async def main() -> None:
        begun = trio.current_time()
        async with delivering(Silent(), drain="0s") as delivery:
            assert trio.current_time() - begun == pytest.approx(10)
            assert "no connection within 10 s" in delivery.told[0]

    run_mock(main)


def test_a_refusal_later_on_holds_the_batch() -> None:
    async def main() -> None:
        system = System(failures=[sinks.SinkRefusedError("no column close")] * 3)
        async with delivering(system, batch=2) as delivery:
            delivery.give(1, 2)
            await trio.sleep(10)
            assert system.batches == [[1, 2]]
            assert "no column close" in delivery.told[0]

    run_mock(main)


def test_a_connection_that_does_not_close_is_left_behind() -> None:
    class Stuck(System):
        async def close(self) -> None:
            await trio.sleep_forever()

    async def main() -> None:
        begun = trio.current_time()
        async with delivering(Stuck()) as delivery:
            delivery.give(1)
        assert trio.current_time() - begun == pytest.approx(3)

    run_mock(main)


def test_a_connection_whose_end_fails_is_given_up() -> None:
    class Broken(System):
        async def close(self) -> None:
            raise OSError("broken")

    async def main() -> None:
        system = Broken(failures=[OSError("no route")])
        async with delivering(system, batch=1) as delivery:
            delivery.give(1)
        assert system.items == [1]

    run_mock(main)


def test_what_was_under_way_when_time_ran_out_is_counted_as_given_up() -> None:
    async def main() -> None:
        system = System(answers_after_s=10.0)
        async with delivering(system, batch=2, drain="1s") as delivery:
            delivery.give(1, 2, 3)
            await trio.testing.wait_all_tasks_blocked()
            assert delivery.sink.stats.in_flight == 2
        assert (delivery.sink.stats.dropped, delivery.sink.stats.in_flight) == (3, 0)

    run_mock(main)


def test_whoever_waits_for_the_delivery_hurries_the_next_attempt(monkeypatch: pytest.MonkeyPatch) -> None:
    def longest(_: float, high: float) -> float:
        return high

    monkeypatch.setattr("cgrx._delivery.courier.random.uniform", longest)

    async def main() -> None:
        system = System(failures=[OSError("no route")] * 8)
        async with delivering(system, batch=1) as delivery:
            delivery.give(1)
            await trio.sleep(0.1 * (2**8 - 1) + 0.05)  # the next attempt is half a minute away
            system.failures = []
            begun = trio.current_time()
            async with trio.open_nursery() as nursery:
                nursery.start_soon(delivery.sink.flush)
                nursery.start_soon(delivery.sink.flush)
            assert trio.current_time() - begun <= 1.0

    run_mock(main)
