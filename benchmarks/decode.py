"""What does decoding cost, per event, against `json`, `orjson` and msgspec alone?

Every rival turns the same messages into events: liquidations and trades by turns, with 1, 10 and 100 events a message,
in the spelling of both generations of the API; and the recorded trades. `json` builds the public events from the dicts
that it returns, `orjson` builds attrs classes, as one would without msgspec; neither checks anything. "msgspec alone"
decodes into Structs with the wire's field names, which nobody can beat with msgspec. cgrx adds to that: it picks the
event's type by the channel, makes the sides, checks the bounds of every value, gives an exchange its one spelling, and
builds the `Frame`.
"""

import json
import random
from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any, Literal

import attrs
import msgspec

from benchmarks._harness.data import CHANNEL, START_MS, generated_event, has_recordings, recorded_trades
from benchmarks._harness.scenario import AbsentError, Case, Contest, Rival, Scenario, Timed
from cgrx._model.events import Event, Liquidation, LiquidationSide, Trade, TradeSide
from cgrx._model.exchanges import canonical_exchange
from cgrx._wire.codec import encode_frame
from cgrx._wire.messages import Frame
from cgrx._wire.reading import Reader
from cgrx._wire.secret import Secret, Texts

NOW_MS = START_MS + 1000
CHANNELS: tuple[tuple[type[Event], str], ...] = ((Liquidation, "liquidationOrders"), (Trade, CHANNEL))
NAMES = {1: ("baseAsset", "exName", "volUsd"), 2: ("base_asset", "exchange", "volume_usd")}
"""How each generation spells what the two spell differently."""


@attrs.frozen
class Messages:
    """What is decoded."""

    count: int
    events: int
    """In each message."""
    generation: Literal[1, 2] = 1
    recorded: bool = False

    def make(self) -> list[bytes]:
        """The messages, the same in every process."""
        if self.recorded:
            trades = recorded_trades()[: self.count]
            return [encode_frame(f"futures_trades@{each.exchange}_{each.symbol}@0", [each]) for each in trades]
        chance = random.Random(self.events)
        messages: list[bytes] = []
        for number in range(self.count):
            event_type, channel = CHANNELS[number % 2]
            events = [generated_event(event_type, chance) for _ in range(self.events)]
            messages.append(encode_frame(channel, events, self.generation))
        return messages


class FirstGeneration(msgspec.Struct, gc=False):
    """An event as it stands on the wire."""

    base_asset: str = msgspec.field(name="baseAsset")
    exchange: str = msgspec.field(name="exName")
    symbol: str
    side: int
    price: float
    volume_usd: float = msgspec.field(name="volUsd")
    time: int


class SecondGeneration(msgspec.Struct, gc=False):
    """The same, as the newer pages spell it."""

    base_asset: str
    exchange: str
    symbol: str
    side: int
    price: float
    volume_usd: float
    time: int


class FirstFrame(msgspec.Struct, gc=False):
    """A message of the first generation."""

    channel: str
    data: tuple[FirstGeneration, ...]


class SecondFrame(msgspec.Struct, gc=False):
    """A message of the second generation."""

    channel: str
    data: tuple[SecondGeneration, ...]


@attrs.frozen
class AttrsEvent:
    """What an event would be without msgspec."""

    base_asset: str
    exchange: str
    symbol: str
    side: LiquidationSide | TradeSide
    price: float
    volume_usd: float
    time_ms: int


def _struct(event: Any) -> tuple[Any, ...]:
    return msgspec.structs.astuple(event)


def _from_dicts(
    messages: Sequence[bytes], loads: Callable[[bytes], Any], generation: int, types: tuple[Any, Any]
) -> list[list[Any]]:
    """Events built from what a JSON library returns, in the shortest code that gives the same values."""
    asset, exchange, volume = NAMES[generation]
    decoded: list[list[Any]] = []
    for payload in messages:
        message = loads(payload)
        is_liquidation = message["channel"] == "liquidationOrders"
        event_type = types[0] if is_liquidation else types[1]
        side: Any = LiquidationSide if is_liquidation else TradeSide
        decoded.append(
            [
                event_type(
                    row[asset],
                    canonical_exchange(row[exchange]),
                    row["symbol"],
                    side(row["side"]),
                    row["price"],
                    row[volume],
                    row["time"],
                )
                for row in message["data"]
            ]
        )
    return decoded


def _timed(wanted: Messages, read: Callable[[list[bytes]], Any], shown: Callable[[Any], list[Any]]) -> Timed:
    messages = wanted.make()
    # cgrx gathers the events of each channel: the order between channels carries no meaning.
    return Timed(lambda: read(messages), len(messages) * wanted.events, lambda decoded: sorted(shown(decoded)))


def _check_recorded(wanted: Messages) -> None:
    if wanted.recorded and not has_recordings():
        raise AbsentError("the recordings are not beside this repository, in ../shared/data")


def _ours(wanted: Messages, _: None) -> Contest:
    def shown(frames: Sequence[Any]) -> list[Any]:
        assert all(isinstance(frame, Frame) and not frame.malformed for frame in frames)
        return [_struct(event) for frame in frames for event in frame.events]

    _check_recorded(wanted)
    reader = Reader(Texts(Secret(["0123456789abcdef0123456789abcdef"])))
    return _timed(wanted, reader.read, shown)


def _json(wanted: Messages, _: None) -> Contest:
    def read(messages: list[bytes]) -> list[list[Any]]:
        return _from_dicts(messages, json.loads, wanted.generation, (Liquidation, Trade))

    _check_recorded(wanted)
    return _timed(wanted, read, lambda decoded: [_struct(event) for event in chain.from_iterable(decoded)])


def _orjson(wanted: Messages, _: None) -> Contest:
    import orjson

    def read(messages: list[bytes]) -> list[list[Any]]:
        return _from_dicts(messages, orjson.loads, wanted.generation, (AttrsEvent, AttrsEvent))

    _check_recorded(wanted)
    return _timed(wanted, read, lambda decoded: [attrs.astuple(event) for event in chain.from_iterable(decoded)])


def _msgspec(wanted: Messages, _: None) -> Contest:
    frame_type: Any = FirstFrame if wanted.generation == 1 else SecondFrame
    decode: Callable[[bytes], Any] = msgspec.json.Decoder(frame_type).decode

    def shown(frames: Sequence[Any]) -> list[Any]:
        return [_struct(event) for frame in frames for event in frame.data]

    _check_recorded(wanted)
    return _timed(wanted, lambda messages: [decode(message) for message in messages], shown)


def _cases(quick: bool) -> list[Case[Messages]]:
    count = 1_000 if quick else 10_000
    cases = [
        Case(f"{events} a message, generation {generation}", Messages(count // events, events, generation))
        for generation in (1, 2)
        for events in (1, 10, 100)
    ]
    return [*cases, Case("1 a message, recorded trades", Messages(count, 1, recorded=True))]


SCENARIO = Scenario(
    name="decode",
    question=(__doc__ or "").partition("\n")[0],
    unit="ns per event",
    cases=_cases,
    rivals=(
        Rival("cgrx", _ours, "ours"),
        Rival("json", _json),
        Rival("orjson + attrs", _orjson),
        Rival("msgspec alone", _msgspec, "limit"),
    ),
)
