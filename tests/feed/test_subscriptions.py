"""What is wanted of a hub, which gaps and proofs it tells, how it ends. No I/O, no loop."""

import pytest

from cgrx._model.channels import FuturesTrades
from cgrx._model.errors import PlanError
from cgrx._model.signals import Alive, Batch, Dropped, Gap
from tests.feed.feeding import Record
from tests.feed.hubs import House, L, T, event

# What is wanted


def test_desired_are_the_channels_with_subscribers_in_order() -> None:
    """The first one in and the last one out change it; those between do not."""
    house = House()
    first = house.hub.subscribe(T, Record())
    second = house.hub.subscribe(T, Record())
    house.join(L)
    first.dispose()
    second.dispose()
    assert house.changes == [(T,), (T, L), (L,)]
    assert house.hub.desired == (L,)


def test_disposing_twice_counts_once() -> None:
    """The other subscriber stays."""
    house = House()
    other = house.join()
    subscription = house.hub.subscribe(L, Record())
    subscription.dispose()
    subscription.dispose()
    house.hub.batch(L, 1, (event(1),))
    assert other.events == [event(1)]


def test_disposing_behind_the_end_of_the_channel_does_nothing() -> None:
    """Also where the channel has a new subscriber by then."""
    house = House()
    subscription = house.hub.subscribe(L, Record())
    house.hub.end_channel(L, PlanError("liquidationOrders", "no"))
    subscription.dispose()
    new = house.join()
    subscription.dispose()
    house.hub.batch(L, 1, (event(1),))
    assert new.events == [event(1)]


def test_unheard_are_the_channels_that_have_given_no_event() -> None:
    house = House()
    house.join(L)
    house.join(T)
    house.hub.batch(L, 1, (event(1),))
    house.hub.batch(T, 1, ())
    house.hub.passed(T, 0, 2)
    assert house.hub.unheard == (T,)
    house.hub.passed(T, 1, 3)
    assert len(house.hub.unheard) == 0


# Gaps


def test_the_first_signal_is_the_gap_up_to_the_proof() -> None:
    """Nothing before it was seen: it starts at 0."""
    house = House()
    observer = house.join()
    house.hub.proven([L], 1_500)
    house.hub.batch(L, 1_600, (event(1),))
    assert observer.signals == [Gap(L, 0, 1_500, "subscribed"), Batch(L, 1_600, (event(1),))]


def test_who_joins_a_channel_that_works_gets_its_gap_at_once() -> None:
    """Up to now."""
    house = House()
    house.join()
    house.hub.proven([L], 1_500)
    house.now_ms = 9_000
    assert house.join().signals == [Gap(L, 0, 9_000, "subscribed")]


def test_proof_of_what_is_proven_or_not_wanted_says_nothing() -> None:
    """Each gap is told once."""
    house = House()
    observer = house.join()
    house.hub.proven([L, T], 1_500)
    house.hub.proven([L, T], 1_600)
    assert len(observer.signals) == 1
    assert house.hub.desired == (L,)


def test_events_that_precede_the_proof_follow_a_gap_all_the_same() -> None:
    """Frames that an earlier subscription left over; what is still missing up to the proof is told then."""
    house = House()
    observer = house.join()
    house.hub.batch(L, 1_200, (event(1),))
    house.hub.batch(L, 1_300, (event(2),))
    house.hub.proven([L], 1_500)
    assert observer.signals == [
        Gap(L, 0, 1_200, "subscribed"),
        Batch(L, 1_200, (event(1),)),
        Batch(L, 1_300, (event(2),)),
        Gap(L, 1_200, 1_500, "subscribed"),
    ]


def test_a_disconnection_is_a_gap_from_the_last_proof_to_the_next() -> None:
    """For everyone whose channel worked; the reason is the connection's."""
    house = House()
    observer = house.join()
    house.hub.proven([L], 1_500)
    house.hub.disconnected(2_000, "code 1001")
    assert len(observer.signals) == 1, "it is told when its end is known"
    house.hub.proven([L], 5_000)
    assert observer.signals[1:] == [Gap(L, 2_000, 5_000, "code 1001")]


def test_a_disconnection_concerns_what_worked_and_nothing_else() -> None:
    """Also behind a channel that did not work yet."""
    house = House()
    unproven, proven = house.join(L), house.join(T)
    house.hub.proven([T], 1_500)
    house.hub.disconnected(2_000, "code 1001")
    house.hub.proven([L, T], 5_000)
    assert unproven.signals == [Gap(L, 0, 5_000, "subscribed")]
    assert proven.signals[1:] == [Gap(T, 2_000, 5_000, "code 1001")]


def test_several_disconnections_without_proof_are_one_gap() -> None:
    """Its beginning and its reason are the first one's."""
    house = House()
    observer = house.join()
    house.hub.proven([L], 1_500)
    house.hub.disconnected(2_000, "first")
    house.hub.disconnected(3_000, "second")
    house.hub.proven([L], 5_000)
    assert observer.signals[1:] == [Gap(L, 2_000, 5_000, "first")]
    assert house.hub.stats()[L].gaps == 1


def test_a_subscription_never_proven_keeps_its_first_gap() -> None:
    """From the beginning of time, over any number of connections."""
    house = House()
    observer = house.join()
    house.hub.disconnected(2_000, "code 1001")
    house.hub.proven([L], 5_000)
    assert observer.signals == [Gap(L, 0, 5_000, "subscribed")]


def test_a_gap_never_ends_before_it_starts() -> None:
    """Where the proof is older than what is missing, it is empty."""
    house = House()
    observer = house.join()
    house.hub.proven([L], 1_500)
    house.hub.disconnected(2_000, "code 1001")
    house.hub.proven([L], 1_900)
    assert observer.signals[1:] == [Gap(L, 1_900, 1_900, "code 1001")]


# Alive, Dropped, Silent


def test_alive_is_for_proven_channels_and_only_goes_forward() -> None:
    """A channel that is not known to work yet is not vouched for."""
    house = House()
    proven, unproven = house.join(L), house.join(T)
    house.hub.proven([L], 1_000)
    for at_ms in (2_000, 1_900, 2_000, 2_001):
        house.hub.alive(at_ms)
    assert proven.of(Alive) == [Alive("feed", 2_000), Alive("feed", 2_001)]
    assert unproven.signals == []


def test_a_channel_proven_later_gets_the_proof_that_others_have_had() -> None:
    """What a stream is told does not depend on what others were told before."""
    house = House()
    first = house.join(L)
    house.hub.proven([L], 1_000)
    house.hub.alive(2_000)
    second = house.join(T)
    house.hub.proven([T], 2_000)
    house.hub.alive(2_000)
    assert first.of(Alive) == second.of(Alive) == [Alive("feed", 2_000)]


def test_alive_stays_monotonic_over_reconnects() -> None:
    """An older proof of the new connection is none."""
    house = House()
    observer = house.join()
    house.hub.proven([L], 1_000)
    house.hub.alive(2_000)
    house.hub.disconnected(2_000, "code 1001")
    house.hub.alive(3_000)
    house.hub.proven([L], 3_500)
    house.hub.alive(2_500)
    house.hub.alive(4_000)
    assert [mark.at_ms for mark in observer.of(Alive)] == [2_000, 4_000]


def test_behind_a_moved_clock_the_next_event_comes_before_the_next_proof() -> None:
    """Where there were events: only they can tell by how much it has moved."""
    house = House()
    spoken, silent = house.join(L), house.join(T)
    house.hub.proven([L, T], 1_000)
    house.hub.batch(L, 1_100, (event(1),))
    house.hub.clock_moved()
    house.hub.alive(9_000)
    assert (spoken.of(Alive), silent.of(Alive)) == ([], [Alive("feed", 9_000)])
    house.hub.batch(L, 9_100, (event(2),))
    house.hub.alive(9_500)
    assert spoken.of(Alive) == [Alive("feed", 9_500)]


def test_malformed_events_are_charged_to_their_channel() -> None:
    """As `Dropped`; a channel that nobody wants is charged nothing."""
    house = House()
    liquidations, trades = house.join(L), house.join(T)
    house.hub.malformed(L, 3)
    house.hub.malformed(FuturesTrades("OKX", "BTC-USDT-SWAP", 0), 1)
    assert liquidations.signals == [Dropped(L, 3, "malformed")]
    assert trades.signals == []
    assert house.hub.stats()[L].malformed == 3


def test_what_could_not_be_read_at_all_is_charged_to_every_channel() -> None:
    """As the same object, so that a union of two channels counts it once."""
    house = House()
    liquidations, trades = house.join(L), house.join(T)
    house.hub.unreadable()
    assert liquidations.signals == [Dropped(None, 1, "malformed")]
    assert trades.signals[0] is liquidations.signals[0]


def test_a_channel_is_silent_once() -> None:
    """Proven alive for so long without any event."""
    house = House()
    house.join(L)
    house.join(T)
    assert house.hub.newly_silent(99_000, 60_000) == []
    house.hub.proven([L], 1_000)
    assert house.hub.newly_silent(60_999, 60_000) == []
    assert house.hub.newly_silent(61_000, 60_000) == [L]
    assert house.hub.newly_silent(99_000, 60_000) == []


def test_a_channel_with_an_event_is_not_silent() -> None:
    """One is enough, however long ago."""
    house = House()
    house.join(L)
    house.hub.proven([L], 1_000)
    house.hub.batch(L, 1_000, (event(1),))
    assert house.hub.newly_silent(999_000, 60_000) == []


def test_silence_adds_up_over_connections() -> None:
    """Only the time proven alive counts."""
    house = House()
    house.join(L)
    house.hub.proven([L], 1_000)
    house.hub.disconnected(41_000, "code 1001")
    house.hub.proven([L], 500_000)
    assert house.hub.newly_silent(519_999, 60_000) == []
    assert house.hub.newly_silent(520_000, 60_000) == [L]


# How it ends


def test_a_channel_ends_with_an_error_and_can_be_subscribed_to_again() -> None:
    """The others go on."""
    house = House()
    error = PlanError("liquidationOrders", "liquidationOrders need upgrade plan")
    ended, other = house.join(L), house.join(T)
    house.hub.end_channel(L, error)
    house.hub.end_channel(L, error)
    house.hub.batch(T, 1, (event(1),))
    assert ended.end is error
    assert other.events == [event(1)]
    house.join(L)
    assert house.changes[-2:] == [(T,), (T, L)]


def test_completion_follows_the_gap_of_who_misses_something() -> None:
    """Its end is then; who misses nothing just completes."""
    house = House()
    working, missing = house.join(L), house.join(T)
    house.hub.proven([L], 500)
    house.now_ms = 2_000
    house.hub.complete()
    assert missing.signals == [Gap(T, 0, 2_000, "subscribed")]
    assert len(working.signals) == 1
    assert (working.end, missing.end) == ("completed", "completed")


def test_failure_reaches_everyone() -> None:
    """Without a gap: nothing else comes out of a stream that failed."""
    house = House()
    error = LookupError("a bug")
    first, second = house.join(L), house.join(T)
    house.hub.fail(error)
    assert (first.end, second.end) == (error, error)
    assert first.signals == second.signals == []


def test_disposal_lets_go_without_a_word() -> None:
    """As a cancellation does."""
    house = House()
    observer = house.join()
    house.hub.dispose()
    assert observer.signals == []
    assert observer.end is None


def test_disposal_drops_what_waits() -> None:
    """Here because a callback was interrupted."""
    house = House()

    class Interrupted(Record):
        def on_signal(self, signal: object) -> None:
            raise KeyboardInterrupt

    house.hub.subscribe(L, Interrupted())
    other = house.join(T)
    with pytest.raises(KeyboardInterrupt):
        house.hub.unreadable()
    house.hub.dispose()
    assert other.signals == []


@pytest.mark.parametrize(
    ("end", "expected"),
    [("complete", "completed"), ("fail", "error"), ("dispose", "completed")],
)
def test_who_comes_behind_the_end_gets_the_end(end: str, expected: str) -> None:
    """And nothing that is done to the hub then reaches anyone."""
    house = House()
    error = LookupError("a bug")
    house.join()
    getattr(house.hub, end)(*([error] if end == "fail" else []))
    late = house.join()
    assert late.end == (error if expected == "error" else expected)
    house.hub.complete()
    house.hub.fail(LookupError("another"))
    assert not house.hub.batch(L, 1, (event(1),))
    assert house.hub.desired == ()


def test_an_observer_that_raises_behind_the_end_is_reported_too() -> None:
    """The call that subscribed it returns."""
    house = House()
    house.hub.complete()

    class Raising(Record):
        def on_completed(self) -> None:
            raise LookupError("theirs")

    house.hub.subscribe(L, Raising())
    assert [str(error) for error in house.raised] == ["theirs"]
