"""The messages of one read: each as `decode` reads it, the events of each channel together."""

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from cgrx._wire import codec
from cgrx._wire.codec import decode, encode_frame
from cgrx._wire.messages import Frame, Message, Pong
from cgrx._wire.reading import Reader
from cgrx._wire.secret import Secret, Texts
from tests.wire.wire_events import FIRST, LIQUIDATIONS, SECOND, TRADE, TRADES, as_frame, frame, framed
from tests.wire.wires import NO_SECRET

OTHER = "futures_trades@OKX_BTC-USDT-SWAP@0"
VALID = (
    frame(FIRST, FIRST),
    frame(FIRST, channel=TRADES),
    frame(SECOND, channel=TRADES),
    frame(FIRST, {}, channel=OTHER),
    b" " + frame(FIRST, channel=TRADES),
    b'{ "channel" :' + frame(FIRST, channel=OTHER)[len('{"channel": ') :],
    encode_frame(TRADES, []),
    b'{"code":"40001","msg":"no"}',
    b"liquidationOrders need upgrade plan",
    b"pong",
)


def gathered(messages: list[Message]) -> list[Message]:
    """The frames of each channel as one, up to the next message that is none."""
    found: list[Message] = []
    frames: dict[str, Frame] = {}
    for message in [*messages, None]:
        if isinstance(message, Frame):
            before = frames.get(message.channel, Frame(message.channel, (), ()))
            frames[message.channel] = Frame(
                message.channel, before.events + message.events, before.malformed + message.malformed
            )
            continue
        found += frames.values()
        frames.clear()
        if message is not None:
            found.append(message)
    return found


payloads = st.lists(
    st.one_of(
        st.sampled_from(VALID),
        st.sampled_from(VALID),
        st.binary(max_size=30),
        framed().map(lambda sent: encode_frame(*sent)),
        framed().map(lambda sent: encode_frame(*sent, generation=2)),
        st.tuples(st.sampled_from(VALID), st.integers(0, 300)).map(lambda cut: cut[0][: cut[1]]),
        st.tuples(st.sampled_from(VALID), st.integers(0, 300)).map(lambda cut: cut[0][cut[1] :]),
    ),
    max_size=12,
)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(payloads, max_size=3))
def test_a_read_is_each_of_its_messages_by_channel(reads: list[list[bytes]]) -> None:
    """However the channels take turns, and whatever has come before. Also where halves of messages stand together."""
    reader = Reader(Texts(NO_SECRET))
    for read in reads:
        assert reader.read(read) == gathered([decode(payload) for payload in read])


def test_what_is_no_frame_stands_behind_what_came_before_it() -> None:
    """A pong proves that the frames before it have arrived; those behind it begin anew."""
    reader = Reader(Texts(NO_SECRET))
    turns = [frame(FIRST, channel=TRADES), frame(FIRST, channel=OTHER)]
    found = reader.read([*turns, *turns, b"pong", *turns])
    shape = [(each.channel, len(each.events)) if isinstance(each, Frame) else type(each) for each in found]
    assert shape == [(TRADES, 2), (OTHER, 2), Pong, (TRADES, 1), (OTHER, 1)]
    assert reader.read([]) == []


def test_frames_are_one_however_they_are_spelled() -> None:
    """One that the short way does not read joins those before it, and those behind it join it."""
    other = {**FIRST, "exName": "BINANCE"}
    reads = [frame(each, channel=TRADES) for each in (FIRST, other, FIRST)]
    (found,) = Reader(Texts(NO_SECRET)).read(reads)
    assert as_frame(found).events == (TRADE, TRADE, TRADE)


def test_a_frame_of_one_type_that_looks_like_the_other() -> None:
    """The decoder is guessed by a byte, which white space moves: events have the type of their channel all the same."""
    reader = Reader(Texts(NO_SECRET))
    moved = b'{"x": "yf", ' + frame(FIRST)[1:]
    for read in (
        [frame(FIRST), frame(FIRST, channel=TRADES)],
        [moved, frame(FIRST)],
        [b" " + frame(FIRST, channel=TRADES)],
    ):
        for message in reader.read(read):
            found = as_frame(message)
            kinds = {type(event).__name__ for event in found.events}
            assert kinds == ({"Liquidation"} if found.channel == LIQUIDATIONS else {"Trade"})


@pytest.mark.parametrize("name", ["baseAsset", "exName", "symbol"])
def test_parts_of_the_key_are_hidden_in_each_text(name: str) -> None:
    """Also in a frame like those before it."""
    reader = Reader(Texts(Secret(["0123456789"])))
    echo = {**FIRST, name: "x123456789x"}
    (found,) = reader.read([frame(each, channel=TRADES) for each in (FIRST, FIRST, echo, FIRST, echo)])
    texts = [(event.base_asset, event.exchange, event.symbol) for event in as_frame(found).events]
    clean = ("BTC", "Binance", "BTCUSDT")
    hidden = tuple(
        "x***x" if each == name else text for each, text in zip(("baseAsset", "exName", "symbol"), clean, strict=True)
    )
    assert texts == [clean, clean, hidden, clean, hidden]


def test_names_that_a_server_makes_up_are_forgotten() -> None:
    """So many channels cannot be subscribed to; nothing that was gathered is lost with them."""
    reader = Reader(Texts(NO_SECRET))
    names = [f"futures_trades@Binance_X{number}@0" for number in range(20_010)]
    found = reader.read([encode_frame(name, []) for name in names])
    assert [as_frame(message).channel for message in found] == names
    assert len(reader._trades) == 10


@given(st.lists(st.lists(st.sampled_from(["BTC", "Binance", "BINANCE", "OKX", "x123456789x"]), min_size=3, max_size=3)))
@example([["Binance", "BTC", "BTC"], ["OKX", "BTC", "BTC"], ["OKX", "BTC", "BTC"]])
def test_texts_may_change_from_event_to_event_of_a_frame(texts: list[list[str]]) -> None:
    """Events of one frame are read as those of as many frames are: by `decode`, and without parts of the key."""
    clean = Texts(Secret(["0123456789"]))
    events = [dict(FIRST, exName=exchange, symbol=symbol, baseAsset=asset) for exchange, symbol, asset in texts]
    together = frame(*events, channel=TRADES)
    expected = [clean.cleaned(event) for event in as_frame(decode(together)).events]
    for read in ([together, together], [frame(each, channel=TRADES) for each in events] * 2):
        reader = Reader(Texts(Secret(["0123456789"])))
        for _ in range(2):
            found = [event for message in reader.read(read) for event in as_frame(message).events]
            assert found == expected * 2


def test_the_generation_is_that_of_the_latest_frame() -> None:
    """A frame of either is read at once; that no other kind of message changes it is what makes the second as fast."""
    reader = Reader(Texts(NO_SECRET))
    second, first = frame(SECOND, channel=TRADES), frame(FIRST, channel=TRADES)
    for payload, generation in (
        (second, codec.SECOND),
        (b"pong", codec.SECOND),
        (frame({}, channel=TRADES), codec.SECOND),
        (second, codec.SECOND),
        (frame(SECOND), codec.SECOND),
        (first, codec.FIRST),
        (b"x", codec.FIRST),
        (frame({**FIRST, "exchange": "OKX"}, channel=TRADES), codec.FIRST),
    ):
        reader.read([payload])
        assert reader._generation is generation
