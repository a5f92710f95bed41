"""Events and rows as dictionaries and as JSON: one set of names, sides as words, whoever writes them."""

import copy
import csv
import dataclasses
import io
import json
from enum import Enum
from typing import Any, cast

import attrs
import msgspec
import pytest

import cgrx
from cgrx import Event, LiquidationOrders, LiquidationSide, Trade, TradeSide
from cgrx import operators as ops
from cgrx._cli.view.event_text import event_formats
from cgrx._cli.view.row_text import row_formats
from cgrx.operators import agg
from cgrx.testing import batch, liquidation, play, trade
from tests.backtest.columns import AGGREGATES
from tests.rows.forms import EVENTS, LIQUIDATION, TRADE, Custom, Wide, row

EVERY_AGGREGATE: dict[str, Any] = AGGREGATES | {"sketched": agg.quantile(0.5, exact=0)}
KEYS = ("base_asset", "exchange", "symbol", "side")


def test_events() -> None:
    """Their kind, then their fields in order."""
    assert TRADE.asdict() == {
        "kind": "trade",
        "base_asset": "BTC",
        "exchange": "Binance",
        "symbol": "BTCUSDT",
        "side": "buy",
        "price": 100.0,
        "volume_usd": 50.0,
        "time_ms": 1,
    }
    assert LIQUIDATION.asdict() | {"kind": "liquidation", "side": "long"} == LIQUIDATION.asdict()


@pytest.mark.parametrize("event", EVENTS)
def test_the_names_of_events_are_those_of_their_attributes(event: Event) -> None:
    """The kind is of the class; sides have words."""
    fields = type(event).__struct_fields__
    assert list(event.asdict()) == ["kind", *fields]
    for name in ("kind", *fields):
        value = getattr(event, name)
        assert event.asdict()[name] == (value.word if name == "side" else value)
    assert type(event).kind == event.kind
    assert json.loads(json.dumps(event.asdict())) == event.asdict()
    # What the docstring says: encoded whole, an event is as on the wire, for which the numbers of sides are.
    assert msgspec.json.decode(msgspec.json.encode(event), type=type(event)) == event


def test_words_of_sides() -> None:
    assert [side.word for side in (*LiquidationSide, *TradeSide)] == ["long", "short", "sell", "buy"]


def rows(**options: Any) -> list[Any]:
    """Of windows with these keys and aggregates, and one without an event."""
    events = [trade("buy", time="1s"), liquidation("long", time="2s"), liquidation("short", time="9s")]
    made: list[Any] = play(ops.tumbling("5s", **options), [batch(*events)])
    first = made[0]
    keys = (first[field] for field in first.key_fields)
    return [*made, first.from_values((0, 1, *keys, *first.accumulator().values(), None, 0, 0, True, False))]


@pytest.mark.parametrize("by", [*KEYS, KEYS, ()], ids=str)
def test_rows_with_every_aggregate_and_key(by: Any) -> None:
    """Whoever writes them: the same names, values and order."""
    made = rows(by=by, **EVERY_AGGREGATE)
    assert len(made) > 2
    for each in made:
        plain = each.asdict()
        assert tuple(plain) == each.fields
        assert json.loads(json.dumps(plain)) == plain
        written = msgspec.json.encode(each)
        assert list(msgspec.json.decode(written).items()) == list(plain.items())
        assert written == msgspec.json.encode(plain)
        assert msgspec.msgpack.decode(msgspec.msgpack.encode(each)) == plain == msgspec.to_builtins(each)
        assert vars(each) == plain
        if "side" in by:
            assert plain["side"] in ("long", "short", "sell", "buy")


def test_what_encoders_see_changes_no_row() -> None:
    """An encoded row has the attributes, the equality and the copies that it had."""
    encoded, other = row(True, 0, TRADE), row(True, 0, TRADE)
    msgspec.json.encode(encoded)
    assert encoded.side is TradeSide.BUY
    assert encoded.big == (TRADE,)
    assert (encoded, hash(encoded), repr(encoded)) == (other, hash(other), repr(other))
    assert copy.copy(encoded) == copy.deepcopy(encoded) == other
    assert not dataclasses.is_dataclass(encoded)
    for name in ("side", "n"):
        with pytest.raises(attrs.exceptions.FrozenInstanceError):
            setattr(encoded, name, None)


def test_lists_of_rows_inside_of_other_values() -> None:
    """As in the answer of a service."""
    made = [row(True, 0, TRADE), row(True, None)]
    assert msgspec.json.decode(msgspec.json.encode({"rows": made})) == {"rows": cgrx.to_dicts(made)}


def test_to_dicts() -> None:
    """Events and rows in order; running rows on demand."""
    running, final = row(False, 0, TRADE), row(True, 0, TRADE)
    items: list[Event | ops.Row] = [running, TRADE, final, LIQUIDATION]
    assert cgrx.to_dicts(iter(items)) == [TRADE.asdict(), final.asdict(), LIQUIDATION.asdict()]
    assert cgrx.to_dicts(items, final_only=False) == [each.asdict() for each in items]
    assert cgrx.to_dicts([]) == []
    wrong: Any = [TRADE, 1]
    with pytest.raises(TypeError, match=r"to_dicts\(\) takes events or rows, not 1"):
        cgrx.to_dicts(wrong)


def test_lines_of_the_command_line_are_these_dictionaries() -> None:
    """In jsonl, and the names in csv."""
    for event in EVENTS:
        assert json.loads(event_formats()["jsonl"].lines([event])) == event.asdict()
        in_csv = event_formats()["csv"]
        (read,) = csv.DictReader(io.StringIO(in_csv.header + in_csv.lines([event]).decode()))
        assert read == {name: str(value) for name, value in event.asdict().items()}
    for each in rows(by="side"):
        lines = row_formats(cast("type[ops.Row]", type(each)))["jsonl"]
        assert json.loads(lines.lines([each])) == each.asdict()


@attrs.frozen
class Seen:
    """What a custom aggregate may give."""

    side: TradeSide
    trades: tuple[Trade, ...]
    _secret: int = 0


class Colour(Enum):
    """An enumeration of the user's."""

    RED = 3


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (Seen(TradeSide.BUY, (TRADE,)), {"side": "buy", "trades": [TRADE.asdict()]}),
        ({TradeSide.SELL: [Colour.RED, 1.5]}, {"sell": ["red", 1.5]}),
        ((None, True, ("a",)), [None, True, ["a"]]),
        (LiquidationOrders(), "liquidationOrders"),
        (1j, 1j),
    ],
)
def test_what_custom_aggregates_give(value: Any, plain: object) -> None:
    """What is of no kind that is known stays as it is."""
    assert Custom(start_ms=0, end_ms=1, found=value).asdict()["found"] == plain


CHANNEL = cgrx.FuturesTrades("Binance", "BTCUSDT", 10_000)


def zeros(kind: type[Any], **others: object) -> Any:
    return kind(**dict.fromkeys((field.name for field in attrs.fields(kind)), 0) | others)


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (cgrx.Connecting(5, 2), {"status": "Connecting", "at_ms": 5, "attempt": 2}),
        (cgrx.Silent(5, CHANNEL, None), {"status": "Silent", "at_ms": 5, "channel": CHANNEL.name, "hint": None}),
        (
            cgrx.Disconnected(5, OSError("gone"), 0.5),
            {"status": "Disconnected", "at_ms": 5, "error": {"type": "OSError", "message": "gone"}, "retry_in_s": 0.5},
        ),
        (cgrx.Gap(CHANNEL, 1, 2, "lost"), {"channel": CHANNEL.name, "start_ms": 1, "end_ms": 2, "reason": "lost"}),
        (TRADE, TRADE.asdict()),
        (row(True, 0, TRADE), row(True, 0, TRADE).asdict()),
        (
            ops.Cooled(ops.Crossing(TRADE, "price", 2.0, 1.0, "above"), 3),
            {
                "item": {
                    "item": TRADE.asdict(),
                    "field": "price",
                    "value": 2.0,
                    "level": 1.0,
                    "direction": "above",
                    "back": False,
                },
                "silenced": 3,
            },
        ),
    ],
)
def test_any_value_as_a_dictionary(value: object, plain: dict[str, object]) -> None:
    assert cgrx.asdict(value) == plain
    assert json.loads(json.dumps([value], default=cgrx.asdict)) == [plain]


def test_counters_as_a_dictionary() -> None:
    """The state as a word, channels by their names."""
    channel = zeros(cgrx.ChannelStats, proven=True, last_event_ms=None)
    stats = zeros(cgrx.FeedStats, state=cgrx.State.CONNECTED, round_trip_ms=2.5, channels={CHANNEL: channel})
    plain = cgrx.asdict(stats)
    assert plain == attrs.asdict(stats, recurse=False) | {
        "state": "connected",
        "channels": {CHANNEL.name: attrs.asdict(channel)},
    }
    assert json.loads(json.dumps(plain)) == plain


@pytest.mark.parametrize("value", [1, "text", cgrx.Trade, object()])
def test_other_values_are_refused(value: object) -> None:
    with pytest.raises(TypeError, match=r"asdict\(\) takes an event, a row, a status, counters or a mark, not "):
        cgrx.asdict(value)


def test_the_row_of_a_class_of_ones_own() -> None:
    """Its values are those of the class, in the order of the class."""
    assert list(vars(row(True, 0))) == list(Wide.fields)
