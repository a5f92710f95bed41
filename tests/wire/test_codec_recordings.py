"""The codec on real events: the same values as `json` reads, none missing."""

import json

import pytest

from cgrx._model.channels import parse_channel
from cgrx._wire.codec import decode, encode_frame
from cgrx._wire.reading import Reader
from cgrx._wire.secret import Texts
from tests import recordings
from tests.recordings import Recording
from tests.wire.wire_events import as_frame, wire_dict
from tests.wire.wires import NO_SECRET

"""After all of them."""

COLUMNS = ("baseAsset", "exName", "price", "side", "symbol", "time", "volUsd")


def each(recording: Recording) -> str:
    return recording.file


@recordings.REQUIRED
@pytest.mark.parametrize("recording", recordings.RECORDINGS, ids=each)
@pytest.mark.parametrize("events_each", [1, 10, 1000])
def test_recorded_events_are_read_as_json_reads_them(recording: Recording, events_each: int) -> None:
    """All of them, in order; the recorder's own keys are ignored."""
    frames = [as_frame(message) for message in Reader(Texts(NO_SECRET)).read(list(recording.frames(events_each)))]
    assert {frame.channel for frame in frames} == {recording.channel}
    assert [frame.malformed for frame in frames if frame.malformed] == []
    events = [event for frame in frames for event in frame.events]
    assert len(events) == recording.events
    assert {type(event) for event in events} == {parse_channel(recording.channel).event_type}
    expected = [{column: line[column] for column in COLUMNS} for line in recording.lines()]
    assert [wire_dict(event, 1) for event in events] == expected


@recordings.REQUIRED
@pytest.mark.parametrize("recording", recordings.RECORDINGS, ids=each)
def test_recorded_events_are_encoded_as_they_were(recording: Recording) -> None:
    """In the first generation `json` reads the recorded values; in the second the codec reads equal events."""
    for payload in recording.frames(1000):
        frame = as_frame(decode(payload))
        rows = json.loads(payload)["data"]
        encoded = json.loads(encode_frame(frame.channel, frame.events))["data"]
        assert encoded == [{column: row[column] for column in COLUMNS} for row in rows]
        assert decode(encode_frame(frame.channel, frame.events, 2)) == frame
