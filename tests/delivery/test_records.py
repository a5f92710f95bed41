"""Rows and events as columns and plain values."""

import msgspec
import pytest

from cgrx import Liquidation, Trade
from cgrx import operators as ops
from cgrx._delivery.as_json import Entry
from cgrx._delivery.records import Column, columns, upserts, values
from cgrx.operators import agg
from cgrx.sinks import SinkDataError
from cgrx.testing import liquidation, trade
from tests.delivery.systems import FLOW, flow


class Everything(ops.Row):
    """A column of each kind."""

    exchange: str
    side: str
    n = agg.count()
    high = agg.high()
    where = agg.exchanges()
    by_exchange = agg.share("exchange")
    largest = agg.largest(2)
    own = agg.custom(lambda: 0, lambda total, _: total, lambda one, _: one, lambda total: total)


def test_columns_of_rows() -> None:
    found = {column.name: column for column in columns(Everything)}
    assert tuple(found) == Everything.fields
    assert [name for name, column in found.items() if column.key] == ["start_ms", "exchange", "side"]
    kinds = {name: column.kind for name, column in found.items()}
    assert kinds["start_ms"] == kinds["n"] == kinds["gap_ms"] == "int"
    assert kinds["high"] == "float"
    assert kinds["side"] == "text"
    assert kinds["final"] == "bool"
    assert kinds["where"] == kinds["largest"] == kinds["own"] == "json"


def test_columns_of_events_have_no_key() -> None:
    assert columns(Trade)[0] == Column("kind", "text")
    assert tuple(column.name for column in columns(Trade)) == tuple(trade().asdict())
    assert not any(column.key for column in columns(Trade))


def test_other_classes_have_no_columns() -> None:
    with pytest.raises(TypeError, match="dict is neither a class of rows nor of events"):
        columns(dict)


def test_values_are_plain_and_in_the_order_of_the_columns() -> None:
    assert values(liquidation("short")) == tuple(liquidation("short").asdict().values())
    assert values(flow(1)) == tuple(flow(1).asdict().values())
    assert len(values(flow(1))) == len(columns(FLOW))


def test_the_last_row_of_each_window_is_written_and_every_event() -> None:
    rows = [flow(0, 1, final=False), liquidation(), flow(1), flow(0, 2), liquidation(), trade()]
    assert upserts(rows) == {
        Liquidation: [liquidation(), liquidation()],
        FLOW: [flow(1), flow(0, 2)],
        Trade: [trade()],
    }
    assert upserts([flow(0, final=False), flow(0, withdrawn=True)]) == {FLOW: [flow(0, withdrawn=True)]}


def test_a_final_row_stands_whatever_follows_but_another() -> None:
    assert upserts([flow(0, 1), flow(0, 2, final=False), flow(0, withdrawn=True)]) == {FLOW: [flow(0, 1)]}
    assert upserts([flow(0, 1), flow(0, 2, final=False), flow(0, 3)]) == {FLOW: [flow(0, 3)]}


def test_what_is_neither_a_row_nor_an_event_is_refused() -> None:
    for refused in (lambda: upserts([flow(0), "text"]), lambda: Entry.of("text", None)):
        with pytest.raises(SinkDataError, match="'text' is neither a row nor an event"):
            refused()


def test_an_entry_says_what_it_is() -> None:
    assert Entry.of(trade("sell"), "1m") == Entry("trade", "event", "", msgspec.json.encode(trade("sell").asdict()))
    running = Entry.of(flow(1, final=False), "1m")
    assert (running.kind, running.state, running.identity) == ("Flow", "running", '["1m",60000,"BTC"]')
    assert [Entry.of(row, None).state for row in (flow(1), flow(1, withdrawn=True))] == ["final", "withdrawn"]


def test_values_that_no_encoder_knows_are_written_as_their_repr() -> None:
    body = Entry.of(Everything(**_ROW, own=object), None).body
    assert msgspec.json.decode(body)["own"] == "<class 'object'>"


_ROW: dict[str, object] = {
    "start_ms": 0,
    "end_ms": 1,
    "exchange": "OKX",
    "side": "buy",
    "n": 1,
    "high": 1.0,
    "where": (),
    "by_exchange": {},
    "largest": (),
}
