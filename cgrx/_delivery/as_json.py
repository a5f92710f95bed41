"""Items as JSON with what consumers need to know of them beside it: for systems that keep what they are given."""

from typing import Any, Literal, TypeAlias

import msgspec

from cgrx._model.plain import plain
from cgrx.operators._rows.row import Row

State: TypeAlias = Literal["final", "running", "withdrawn", "event"]


def kind(item: Any) -> str:
    """`"liquidation"`, `"trade"`, or the name of the row's class."""
    return type(item).__name__ if isinstance(item, Row) else str(item.kind)


def state(item: Any) -> State:
    """How long an item stands: a running row until another one of its identity comes, the others for good."""
    if not isinstance(item, Row):
        return "event"
    return "final" if item.final else "withdrawn" if item.withdrawn else "running"


def identity_text(item: Any, pipeline: str | None) -> str:
    """The identity of a row as JSON: `["1m",1795836540000,"BTC"]`, without the first where there is no `pipeline`.

    Events have none: an empty text.
    """
    if not isinstance(item, Row):
        return ""
    name = [] if pipeline is None else [pipeline]
    return msgspec.json.encode([*name, *map(plain, item.identity)]).decode()


def body(item: Any) -> bytes:
    """The item's `asdict()` as JSON; what no encoder knows is its `repr`."""
    return msgspec.json.encode(item.asdict(), enc_hook=repr)
