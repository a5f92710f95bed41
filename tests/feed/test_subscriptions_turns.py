"""Everyone gets a signal before the next one starts, whatever observers do meanwhile."""

from typing import Any

import pytest

from cgrx._model.signals import Batch, Gap
from tests.feed.feeding import Record
from tests.feed.hubs import Doing, House, L, T, event, fail


def test_everyone_gets_a_signal_before_the_next_one_starts() -> None:
    """A batch that arises while another is delivered waits."""
    house = House()
    order: list[tuple[str, int]] = []

    def first(batch: Batch[Any]) -> None:
        order.append(("first", batch.events[0].time_ms))
        if batch.events[0].time_ms == 1:
            house.hub.batch(L, 3, (event(2),))

    house.hub.subscribe(L, Doing(first))
    house.hub.subscribe(L, Doing(lambda batch: order.append(("second", batch.events[0].time_ms))))
    house.hub.batch(L, 2, (event(1),))
    assert order == [("first", 1), ("second", 1), ("first", 2), ("second", 2)]


def test_so_it_is_with_what_is_relayed() -> None:
    """The hub completes when the second one has had the batch too."""
    house = House()
    house.hub.subscribe(L, Doing(lambda _: house.hub.complete()))
    second = house.join()
    house.hub.relay(L, Batch(L, 2, (event(1),)))
    assert second.events == [event(1)]
    assert second.end == "completed"


def test_who_is_disposed_while_others_complete_hears_no_completion() -> None:
    house = House()
    second = Record()

    class First(Record):
        def on_completed(self) -> None:
            super().on_completed()
            leaving.dispose()

    house.hub.subscribe(L, First())
    leaving = house.hub.subscribe(L, second)
    house.hub.complete()
    assert second.end is None


def test_who_subscribes_during_a_signal_gets_the_next_one() -> None:
    """Its gap first."""
    house = House()
    late: list[Record] = []

    def join_once(_: object) -> None:
        if not late:
            late.append(house.join())

    house.hub.subscribe(L, Doing(join_once))
    house.hub.proven([L], 500)
    house.hub.batch(L, 600, (event(1),))
    house.hub.batch(L, 700, (event(2),))
    assert late[0].signals == [Gap(L, 0, 1_000, "subscribed"), Batch(L, 700, (event(2),))]


def test_who_is_disposed_during_a_signal_gets_it_no_more() -> None:
    """At once, also from a sibling's callback."""
    house = House()
    second = Record()
    disposables: list[Any] = []
    house.hub.subscribe(L, Doing(lambda _: disposables[0].dispose()))
    disposables.append(house.hub.subscribe(L, second))
    house.hub.batch(L, 1, (event(1),))
    assert second.events == []


def test_who_disposes_itself_ends_its_channel_if_it_was_the_last() -> None:
    """The change is told when the signal is through."""
    house = House()
    disposables: list[Any] = []
    disposables.append(house.hub.subscribe(L, Doing(lambda _: disposables[0].dispose())))
    house.hub.batch(L, 1, (event(1),))
    assert house.hub.desired == ()
    assert not house.hub.batch(L, 1, (event(2),))


def test_subscribed_and_disposed_within_one_signal_it_never_was_there() -> None:
    """No change is told, nothing is delivered."""
    house = House()
    fleeting = Record()
    house.hub.subscribe(L, Doing(lambda _: house.hub.subscribe(T, fleeting).dispose()))
    changes = len(house.changes)
    house.hub.batch(L, 1, (event(1),))
    assert len(house.changes) == changes
    assert fleeting.signals == []


def test_an_observer_that_raises_loses_its_subscription_alone() -> None:
    """Siblings before and behind it miss nothing; whoever owns the hub is told; its channel is given up."""
    house = House()
    before = house.join()
    house.hub.subscribe(L, Doing(fail))
    behind = house.join()
    house.hub.batch(L, 1, (event(1),))
    house.hub.batch(L, 2, (event(2),))
    assert before.events == behind.events == [event(1), event(2)]
    assert [str(error) for error in house.raised] == ["theirs"]
    assert house.hub.stats()[L].subscribers == 2


def test_the_only_observer_that_raises_ends_its_channel() -> None:
    """Nobody is left who wants it."""
    house = House()
    house.hub.subscribe(L, Doing(fail))
    house.hub.batch(L, 1, (event(1),))
    assert house.hub.desired == ()


def test_what_is_no_exception_passes_and_leaves_the_hub_in_order() -> None:
    """Ctrl-C in a callback is not the hub's to keep."""
    house = House()

    def interrupt(_: object) -> None:
        raise KeyboardInterrupt

    house.hub.subscribe(L, Doing(interrupt))
    with pytest.raises(KeyboardInterrupt):
        house.hub.batch(L, 1, (event(1),))
    assert house.raised == []
    house.hub.dispose()
