"""Rows that take back a running row: what they say, and to whom."""

import copy
import json
import pickle
from typing import Any, cast

import msgspec
import pytest

import cgrx
from cgrx import TradeSide
from cgrx import operators as ops
from cgrx.operators import agg
from tests.rows.forms import TRADE, Wide, row


class Sided(ops.Row):
    """A row with two key fields."""

    exchange: str
    side: TradeSide
    n = agg.count()


def sided(**others: Any) -> Sided:
    return Sided(**{"start_ms": 5, "end_ms": 9, "exchange": "OKX", "side": TradeSide.BUY, "n": 2} | others)


def withdrawn(each: Any) -> Any:
    """The row that takes this one back."""
    return type(each)(withdrawn=True, **{field: each[field] for field in each.fields})


def test_identity() -> None:
    """The start and the key, whatever else a row holds."""
    assert sided().identity == (5, "OKX", TradeSide.BUY)
    assert sided(end_ms=50, n=3, final=False).identity == sided(withdrawn=True).identity == sided().identity
    assert row(True, 0, TRADE).identity == (0, "Binance")
    assert ops.Row(start_ms=7, end_ms=8).identity == (7,)


def test_a_withdrawn_row() -> None:
    """It has the values of the running row, and is another one."""
    running = row(False, 0, TRADE)
    taken = withdrawn(running)
    assert (running.withdrawn, taken.withdrawn) == (False, True)
    assert not taken.final
    assert not taken.complete
    assert type(taken) is Wide
    assert taken.values == running.values
    assert taken.time_ms == running.time_ms
    assert taken == withdrawn(running)
    assert hash(taken) == hash(withdrawn(running))
    assert taken != running
    assert len({running, taken}) == 2


def test_prints_as_code() -> None:
    running = ops.Row(start_ms=5, end_ms=9, final=False)
    taken = withdrawn(running)
    code = "Row(start_ms=5, end_ms=9, gap_ms=0, dropped=0, late=0, final=False, complete=False"
    assert repr(running) == f"{code})"
    assert repr(taken) == f"{code}, withdrawn=True)"
    assert eval(repr(taken), {"Row": ops.Row}) == taken


def test_copies() -> None:
    taken = sided(withdrawn=True)
    for each in (copy.copy(taken), copy.deepcopy(taken), pickle.loads(pickle.dumps(taken))):
        assert each == taken
        assert each.withdrawn


def test_encoders_tell() -> None:
    """A withdrawn row has an entry more; no other row has."""
    taken, standing = sided(withdrawn=True), sided(final=False)
    assert taken.asdict() == standing.asdict() | {"withdrawn": True}
    assert vars(taken) == cgrx.asdict(taken) == taken.asdict()
    assert msgspec.json.decode(msgspec.json.encode(taken)) == taken.asdict()
    assert msgspec.to_builtins(taken) == json.loads(json.dumps(taken.asdict())) == taken.asdict()
    assert "withdrawn" not in standing.asdict()


def test_people_are_told() -> None:
    """In place of what was missed: nothing is left that could be incomplete."""
    assert "✕ withdrawn" in repr(cgrx.table([sided(withdrawn=True, dropped=3)]))
    page = sided(withdrawn=True)._repr_html_()
    assert page.count("withdrawn") == 1


def test_a_withdrawn_row_is_not_final() -> None:
    with pytest.raises(ValueError, match="final=True: a withdrawn row is a running one, and so not final"):
        sided(withdrawn=True, final=True)


def test_names_that_are_taken() -> None:
    for name in ("identity", "withdrawn"):
        with pytest.raises(ValueError, match=f"'{name}' is a field of every such row already"):
            ops.tumbling("1m", **cast("Any", {name: agg.count()}))
