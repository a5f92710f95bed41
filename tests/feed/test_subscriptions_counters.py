"""What a hub counts for each channel, and which channels have given nothing."""

from typing import Any

import attrs
import pytest

from cgrx._feed import subscriptions
from cgrx._model.channels import FuturesTrades
from cgrx._model.signals import Batch, Dropped, Gap, Signal
from cgrx._model.stats import ChannelStats
from tests.feed.feeding import Record
from tests.feed.hubs import House, L, T, event


def test_stats_count_and_stay_as_they_were_at_the_end() -> None:
    """Per channel since its first subscriber came."""
    house = House()
    house.join()
    house.join()
    assert house.hub.stats() == {L: ChannelStats(2, False, 0, 0, 0, 0, None, None)}
    house.hub.proven([L], 1_000)
    house.hub.batch(L, 1_100, (event(7), event(8)))
    assert house.hub.batch(L, 1_200, ()), "wanted"
    expected = {L: ChannelStats(2, True, 2, 0, 0, 0, 8, 1_100)}
    assert house.hub.stats() == expected
    house.hub.complete()
    assert house.hub.stats() == expected


def test_the_counters_of_a_channel_stay_when_its_last_subscriber_leaves() -> None:
    house = House()
    subscription = house.hub.subscribe(L, Record())
    house.hub.proven([L], 1_000)
    house.hub.batch(L, 1_100, (event(7),))
    subscription.dispose()
    assert house.hub.stats() == {L: ChannelStats(0, False, 1, 0, 0, 0, 7, 1_100)}
    house.join()
    house.hub.batch(L, 1_200, (event(8),))
    assert house.hub.stats() == {L: ChannelStats(1, False, 2, 0, 0, 0, 8, 1_200)}


def test_the_last_event_is_one_whose_time_is_known() -> None:
    """Events that nobody had to be handed are counted without a look at their times."""
    house = House()
    house.join(L)
    house.join(T)
    house.hub.batch(L, 1_000, (event(7),))
    house.hub.passed(T, 3, 2_000)
    assert house.hub.last_event == (1_000, 7)


def test_events_that_nobody_had_to_be_handed_are_counted() -> None:
    """Those received before the latest of the others do not set its time back."""
    house = House()
    house.join()
    house.hub.batch(L, 2_000, (event(7),))
    house.hub.passed(L, 3, 1_500)
    assert house.hub.stats() == {L: ChannelStats(1, False, 4, 0, 0, 0, 7, 2_000)}
    house.hub.passed(L, 1, 2_500)
    assert house.hub.stats() == {L: ChannelStats(1, False, 5, 0, 0, 0, 7, 2_500)}


def test_what_is_relayed_is_counted_too() -> None:
    """With the time of the last event of a batch; a gap that begins at 0 is no loss."""
    house = House()
    observer = house.join()
    signals: list[Signal[Any]] = [
        Gap(L, 0, 1_000, "subscribed"),
        Batch(L, 1_100, (event(7), event(8), event(9))),
        Gap(L, 1_100, 1_200, "code 1001"),
        Dropped(L, 2, "malformed"),
    ]
    for signal in signals:
        house.hub.relay(L, signal)
        house.hub.relay(T, signal)
    assert observer.signals == signals
    assert house.hub.unheard == ()
    assert house.hub.stats() == {L: ChannelStats(1, False, 3, 2, 1, 100, 9, 1_100)}
    house.hub.complete()
    assert observer.signals == signals, "what is recorded has its own gaps"


def test_how_long_a_channel_was_interrupted() -> None:
    """Up to now while it lasts; to the proof that ends it; and to when nobody wants the channel any more."""
    house = House()
    subscription = house.hub.subscribe(L, Record())
    house.hub.disconnected(1_000, "code 1001")
    assert house.hub.stats()[L].gap_ms == 0, "it has not begun"
    house.hub.proven([L], 1_000)
    house.hub.disconnected(2_000, "code 1001")
    house.now_ms = 2_300
    assert (house.hub.stats()[L].gaps, house.hub.stats()[L].gap_ms) == (1, 300)
    house.hub.proven([L], 2_400)
    house.now_ms = 5_000
    assert house.hub.stats()[L].gap_ms == 400
    house.hub.disconnected(4_500, "code 1001")
    subscription.dispose()
    house.now_ms = 6_000
    assert (house.hub.stats()[L].gaps, house.hub.stats()[L].gap_ms) == (2, 900)
    house.join()
    assert house.hub.stats()[L].gap_ms == 900


def test_the_sums_of_a_kind_of_channel_lose_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even what channels counted that nobody remembers."""
    monkeypatch.setattr(subscriptions, "_REMEMBERED", 1)
    house = House()
    for number in range(4):
        channel = FuturesTrades("Binance", f"X{number}", 0)
        subscription = house.hub.subscribe(channel, Record())
        house.hub.proven([channel], 1_000)
        house.hub.batch(channel, 1_000 + number, (event(number), event(number)))
        subscription.dispose()
    house.join()
    assert house.hub.forgotten == {"futures_trades": ChannelStats(0, True, 6, 0, 0, 0, 2, 1_002)}


def test_channels_together() -> None:
    """Sums, the latest event of all, and proven where each that somebody subscribes to is. A replay proves nothing."""
    one = ChannelStats(1, True, 3, 1, 2, 500, 900, 1_000)
    other = ChannelStats(2, True, 4, 0, 1, 250, None, None)
    left = ChannelStats(0, False, 1, 0, 0, 0, 100, 2_000)
    assert ChannelStats.together([one, other, left]) == ChannelStats(3, True, 8, 1, 3, 750, 100, 2_000)
    unproven, replayed = attrs.evolve(other, proven=False), attrs.evolve(one, proven=None)
    assert ChannelStats.together([one, unproven]).proven is False
    assert ChannelStats.together([replayed, replayed]).proven is None
    assert [each.lag_ms for each in (one, other, left, replayed)] == [100, None, 1_900, None]
