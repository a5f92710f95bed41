"""Real recordings through the simulator, a socket and the feed: every event is accounted for."""

import pytest

import cgrx
from cgrx._model.events import Event, Liquidation, Trade
from cgrx._simulator.simulator import Simulator
from cgrx._simulator.sources import JsonLines
from tests import recordings
from tests.choosing import one_in
from tests.feed.feeding import KEY, eventually, record
from tests.recordings import Recording, channel_of, decoded
from tests.support import run


@recordings.REQUIRED
@pytest.mark.parametrize("frame_events", one_in(2, [1, 50]))
@pytest.mark.parametrize("recording", recordings.RECORDINGS, ids=lambda recording: recording.file)
def test_every_event_arrives_once_in_order_and_unchanged(recording: Recording, frame_events: int) -> None:
    """At infinite speed over a loopback socket: equal in number, order and content to the file decoded directly."""
    expected = decoded(recording)
    assert len(expected) == recording.events
    source = JsonLines(
        recordings.FOLDER / recording.file, Liquidation if recording is recordings.LIQUIDATIONS else Trade
    )

    async def main() -> None:
        start = len(_channels(expected))
        async with Simulator(source, speed=float("inf"), start=start, frame_events=frame_events) as simulator:
            async with cgrx.connect(url=simulator.url, api_key=KEY) as feed:
                seen = {channel: record(feed.channel(channel)) for channel in _channels(expected)}
                await simulator.wait_finished()
                await eventually(lambda: feed.stats.events == len(expected))
                await feed.aclose()
            for channel, observer in seen.items():
                assert observer.events == [event for event in expected if channel_of(event) == channel]
                assert (observer.dropped, observer.end, len(observer.gaps)) == (0, "completed", 1)
            stats = feed.stats
            assert (stats.events, stats.unclaimed, stats.malformed) == (len(expected), 0, 0)
            assert (stats.connections, stats.notices) == (1, 0)
            assert stats.messages == simulator.stats.frames + simulator.stats.pongs
            assert simulator.stats.events == len(expected)

    run(main)


@recordings.REQUIRED
@pytest.mark.parametrize("recording", one_in(2, recordings.RECORDINGS), ids=lambda recording: recording.file)
def test_a_consumer_that_waits_gets_every_event_too(recording: Recording) -> None:
    """By `async for`, with a small buffer that holds the socket up."""
    expected = decoded(recording)
    first = channel_of(expected[0])
    wanted = [event for event in expected if channel_of(event) == first]
    source = JsonLines(recordings.FOLDER / recording.file, type(expected[0]))

    async def main() -> None:
        async with Simulator(source, speed=float("inf")) as simulator:
            async with (
                cgrx.connect(url=simulator.url, api_key=KEY) as feed,
                cgrx.stream(feed.channel(first), buffer=100, overflow="block") as events,
            ):
                got: list[Event] = []
                async for event in events:
                    got.append(event)
                    if len(got) == len(wanted):
                        break
                stats = events.stats
            assert got == wanted
            assert stats.received == stats.delivered == len(wanted)

    run(main)


def _channels(events: list[Event]) -> list[cgrx.Channel]:
    return list(dict.fromkeys(map(channel_of, events)))
