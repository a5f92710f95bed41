"""Laws of the codec, over events and bytes of any kind."""

import json
from typing import Any, Literal

from hypothesis import given
from hypothesis import strategies as st

from cgrx._model.channels import parse_channel
from cgrx._model.events import LATEST_MS, Event
from cgrx._wire.codec import Frame, Malformed, Message, Notice, Pong, decode, encode_frame
from tests.wire.wire_events import FIRST, SECOND, TRADES, as_frame, frame, framed, wire_dict

generations: st.SearchStrategy[Literal[1, 2]] = st.sampled_from((1, 2))

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
extra_keys = st.dictionaries(
    st.text(max_size=8).filter(lambda key: key not in {"channel", "data", *FIRST, *SECOND}), json_values, max_size=3
)
VALID = (
    frame(FIRST, FIRST),
    frame(SECOND, channel=TRADES),
    encode_frame(TRADES, []),
    b'{"code":"40001","msg":"no"}',
    b"liquidationOrders need upgrade plan",
)


@given(framed(), generations)
def test_what_is_encoded_is_decoded(sent: tuple[str, tuple[Event, ...]], generation: Literal[1, 2]) -> None:
    """Equal events, of equal hash and of the same types, whichever generation's names."""
    channel, events = sent
    found = as_frame(decode(encode_frame(channel, events, generation)))
    assert found == Frame(channel, events, ())
    assert hash(found.events) == hash(events)
    assert [(type(event), type(event.side)) for event in found.events] == [
        (type(event), type(event.side)) for event in events
    ]
    assert parse_channel(found.channel).event_type is (type(events[0]) if events else parse_channel(channel).event_type)


@given(framed(), st.data())
def test_neither_order_nor_white_space_nor_extra_keys_matter(
    sent: tuple[str, tuple[Event, ...]], data: st.DataObject
) -> None:
    """Nor which generation each event is in; `json` writes what is read here, so the encoder is not trusted."""
    channel, events = sent

    def shuffled(value: dict[str, Any]) -> dict[str, Any]:
        return dict(data.draw(st.permutations(list(value.items()))))

    rows = [shuffled({**wire_dict(event, data.draw(generations)), **data.draw(extra_keys)}) for event in events]
    message = shuffled({"channel": channel, "data": rows, **data.draw(extra_keys)})
    text = json.dumps(message, indent=data.draw(st.sampled_from((None, 0, 3))), ensure_ascii=data.draw(st.booleans()))
    payload = f" {text}\r\n".encode("utf-8", "surrogatepass")
    assert decode(payload) == Frame(channel, events, ())


@given(framed(), generations, json_values.filter(lambda value: not isinstance(value, dict)), st.data())
def test_a_bad_neighbour_changes_nothing(
    sent: tuple[str, tuple[Event, ...]], generation: int, bad: object, data: st.DataObject
) -> None:
    """The slow way of reading, which a bad event leads to, gives the same events as the fast one."""
    channel, events = sent
    rows: list[object] = [wire_dict(event, generation) for event in events]
    index = data.draw(st.integers(0, len(rows)))
    rows.insert(index, bad)
    found = as_frame(decode(frame(*rows, channel=channel)))
    assert found.events == events
    assert [each.path for each in found.malformed] == [f"$.data[{index}]"]


@given(framed(), generations)
def test_strings_for_numbers_change_nothing(sent: tuple[str, tuple[Event, ...]], generation: int) -> None:
    channel, events = sent
    rows = [wire_dict(event, generation) for event in events]
    quoted = [
        {key: repr(value) if isinstance(value, int | float) else value for key, value in row.items()} for row in rows
    ]
    assert decode(frame(*quoted, channel=channel)) == Frame(channel, events, ())


def check(payload: bytes) -> Message:
    """Decodes, and looks at what came out: the types and the bounds that `decode` promises."""
    message = decode(payload)
    match message:
        case Frame(channel, events, malformed):
            wanted = parse_channel(channel).event_type
            for event in events:
                assert type(event) is wanted
                assert event.price > 0 < event.volume_usd
                assert 0 <= event.time_ms <= LATEST_MS
                str((event, event.datetime)).encode()
            reports = malformed
        case Malformed():
            reports = (message,)
        case Notice(text):
            assert 0 < len(text) <= 500
            assert text.isprintable()
            reports = ()
        case Pong():
            reports = ()
    for report in reports:
        assert report.path.startswith("$")
        assert report.reason
        assert len(report.excerpt) <= 120
        assert report.excerpt == "" or report.excerpt.isprintable()
    return message


@given(st.binary(max_size=300))
def test_any_bytes_are_a_message(payload: bytes) -> None:
    check(payload)


@given(st.text(max_size=300))
def test_any_text_is_a_message(text: str) -> None:
    check(text.encode("utf-8", "surrogatepass"))


@given(json_values)
def test_any_json_is_a_message(value: object) -> None:
    check(json.dumps(value).encode())


@given(st.sampled_from(sorted({*FIRST, *SECOND})), json_values, st.sampled_from((FIRST, SECOND)))
def test_any_value_in_any_field_costs_at_most_its_event(name: str, value: object, event: dict[str, Any]) -> None:
    found = as_frame(check(frame(event, {**event, name: value}, event)))
    assert len(found.events) + len(found.malformed) == 3
    assert all(each.path in {f"$.data[1].{name}", "$.data[1].time"} for each in found.malformed)


edits = st.lists(
    st.tuples(st.sampled_from(("flip", "insert", "delete")), st.integers(0, 10_000), st.integers(0, 255)),
    min_size=1,
    max_size=5,
)


@given(st.sampled_from(VALID), edits)
def test_damaged_messages_are_messages(payload: bytes, damage: list[tuple[str, int, int]]) -> None:
    """Bytes changed, put in and left out anywhere."""
    damaged = bytearray(payload)
    for how, where, byte in damage:
        at = where % (len(damaged) + 1)
        if how == "insert":
            damaged.insert(at, byte)
        elif how == "delete":
            del damaged[at : at + 1]
        else:
            damaged[at : at + 1] = bytes(value ^ (byte or 1) for value in damaged[at : at + 1])
    check(bytes(damaged))
