"""How encoders see a row: as the names and the plain values that its `asdict()` gives.

msgspec writes every object that has `__dataclass_fields__`, a dictionary whose keys are the names of fields. It takes
each value from the object's own `__dict__` where that holds one, and asks the class for it otherwise. The class would
give sides as members of an enumeration and events as the wire has them. So a row has a `__dict__`, which is filled when
an encoder asks for the fields. Attributes never come from there: each is a descriptor with `__set__`, which goes first.

Source: https://jcristharif.com/msgspec/supported-types.html, and `dataclass_iter_next` in msgspec's `_core.c`.
"""

from typing import Any


class Encoded:
    """What has a `__dict__` for encoders alone, which is not made before one asks."""

    __slots__ = ("__dict__",)


_dict_of: Any = vars(Encoded)["__dict__"].__get__


class FieldsForEncoders:
    """The descriptor `__dataclass_fields__`: instances have it, and the class has not, for it is no dataclass."""

    def __get__(self, row: Any, owner: type) -> dict[str, object]:
        if row is None:
            raise AttributeError("__dataclass_fields__")
        fields: dict[str, object] = row.asdict()
        _dict_of(row).update(fields)
        return fields
