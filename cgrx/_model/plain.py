"""Values in plain form: dictionaries, lists, texts, numbers, true, false and None, which every encoder can write."""

from collections.abc import Mapping
from enum import Enum
from typing import Any, cast

import attrs

from cgrx._model.channels import FuturesTrades, LiquidationOrders
from cgrx._model.events import Liquidation, Trade
from cgrx._model.status import Status

PLAIN = frozenset({int, float, str, bool, type(None)})
"""The types of values that are plain as they are."""


def plain(value: object, *, pairs: bool = False) -> object:
    """A value in plain form. What is of no kind named here is left as it is.

    Events become what their `asdict()` gives; members of enumerations their names in small letters, such as `"buy"`;
    channels their names on the wire; errors their types and messages; mappings dictionaries; tuples lists; all other
    frozen values of cgrx dictionaries of their fields, a status with the name of its class under `status`.

    Args:
        value: any value.
        pairs: write a mapping as a list of records with `name` and `value`, for tables: as a record it would have
            other fields in each row.
    """
    if type(value) in PLAIN:
        return value
    match value:
        case Liquidation() | Trade():
            return value.asdict()
        case Enum():
            return value.name.lower()
        case LiquidationOrders() | FuturesTrades():
            return value.name
        case BaseException():
            return {"type": type(value).__name__, "message": str(value)}
        case Mapping():
            items = cast("Mapping[object, object]", value).items()
            if pairs:
                return [{"name": plain(name), "value": plain(each, pairs=pairs)} for name, each in items]
            return {plain(name): plain(each) for name, each in items}
        case tuple() | list():
            return [plain(each, pairs=pairs) for each in cast("tuple[object, ...]", value)]
        case _ if attrs.has(type(value)):
            return plain_fields(value, pairs=pairs)
        case _:
            return value


def plain_fields(value: Any, *, pairs: bool = False) -> dict[str, object]:
    """A value of a class made by attrs as its fields by name, in plain form."""
    names = (field.name for field in attrs.fields(value.__class__))
    fields = {name: plain(getattr(value, name), pairs=pairs) for name in names if not name.startswith("_")}
    return {"status": type(value).__name__, **fields} if isinstance(value, Status) else fields
