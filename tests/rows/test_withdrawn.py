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
    page = sided(withdrawn=True, dropped=3)._repr_html_()
    assert page.count("withdrawn") == 1
    assert "✕ withdrawn" in page
    assert "dropped" not in page


def test_a_withdrawn_row_is_not_final() -> None:
    with pytest.raises(ValueError, match="final=True: a withdrawn row is a running one, and so not final"):
        sided(withdrawn=True, final=True)


def test_names_that_are_taken() -> None:
    for name in ("identity", "withdrawn"):
        with pytest.raises(ValueError, match=f"'{name}' is a field of every such row already"):
            ops.tumbling("1m", **cast("Any", {name: agg.count()}))


# --- many rows ------------------------------------------------------------------------------------------------------

ITEMS: list[Any] = [
    TRADE,
    row(False, 0),
    row(False, 0, TRADE),
    row(True, 0, TRADE, TRADE),
    withdrawn(row(False, 0, TRADE)),
    row(False, 0, TRADE, TRADE, TRADE),
]
"""What is withdrawn in the middle: the two running rows before, not the final one, nor the running one behind."""


def test_frames_leave_out_what_was_withdrawn() -> None:
    """They have no column to say so."""
    frame = cgrx.to_frame(ITEMS[1:], final_only=False)
    assert frame["n"].to_list() == [2, 3]
    assert frame.columns == list(Wide.fields)
    assert cgrx.to_frame(ITEMS[1:])["n"].to_list() == [2]
    nothing = cgrx.to_frame([withdrawn(row(False, 0))], final_only=False)
    assert (nothing.columns, nothing.height) == (list(Wide.fields), 0)


def test_so_do_dictionaries_and_tables() -> None:
    standing = [ITEMS[0], ITEMS[3], ITEMS[5]]
    assert cgrx.to_dicts(iter(ITEMS), final_only=False) == [each.asdict() for each in standing]
    assert cgrx.to_dicts(ITEMS) == [each.asdict() for each in standing[:2]]
    assert repr(cgrx.table(ITEMS)) == repr(cgrx.table(standing))
    assert repr(cgrx.table(ITEMS, most=2)) == repr(cgrx.table(standing, most=2))


def test_other_classes_and_keys_have_windows_of_their_own() -> None:
    """Of the same start."""
    given = [sided(final=False), sided(side=TradeSide.SELL, final=False), ops.Row(start_ms=5, end_ms=9, final=False)]
    taken = sided(withdrawn=True)
    assert cgrx.to_dicts([*given, taken], final_only=False) == [each.asdict() for each in given[1:]]
