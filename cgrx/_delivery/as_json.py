"""Items as plain values and as JSON, with what consumers need to know of them beside it."""

from typing import Any, Literal, TypeAlias

import attrs
import msgspec

from cgrx._delivery.records import not_a_record
from cgrx._model.events import Liquidation, Trade
from cgrx._model.plain import plain
from cgrx.operators._rows.row import Row

State: TypeAlias = Literal["final", "running", "withdrawn", "event"]


def as_plain(item: Any) -> object:
    """What is delivered, in plain form: of rows, events and results their `asdict()`."""
    asdict = getattr(item, "asdict", None)
    return plain(item) if asdict is None else asdict()


@attrs.frozen
class Entry:
    """A row or an event for a system that keeps what it is given, and updates nothing."""

    kind: str
    """`"liquidation"`, `"trade"`, or the name of the row's class."""
    state: State
    """How long it stands: a running row until another one of its identity comes, the others for good."""
    identity: str
    """Of a row as JSON: `["1m",1795836540000,"BTC"]`, without the first where there is no `pipeline`. Of an event an
    empty text, for it has none."""
    body: bytes
    """The `asdict()` as JSON; what no encoder knows is its `repr`."""

    @classmethod
    def of(cls, item: Any, pipeline: str | None) -> "Entry":
        """Make it.

        Raises:
            SinkDataError: the item is neither a row nor an event.
        """
        if not isinstance(item, Row | Liquidation | Trade):
            raise not_a_record(item)
        body = msgspec.json.encode(item.asdict(), enc_hook=repr)
        if not isinstance(item, Row):
            return cls(item.kind, "event", "", body)
        name = [] if pipeline is None else [pipeline]
        identity = msgspec.json.encode([*name, *map(plain, item.identity)]).decode()
        state: State = "final" if item.final else "withdrawn" if item.withdrawn else "running"
        return cls(type(item).__name__, state, identity, body)
