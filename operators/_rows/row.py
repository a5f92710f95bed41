"""A row: the values of one window as a frozen value; and how a class of rows is made.

    class Flow(ops.Row):
        exchange: str                # an annotation is a key field
        n = agg.count()              # an aggregate is a value

An instance holds one tuple: start_ms, end_ms, the key fields, the aggregates, gap_ms, dropped, late, final, complete.
"""

import copyreg
import weakref
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Self, cast

import attrs

from cgrx._model.events import LiquidationSide, TradeSide
from cgrx._model.plain import PLAIN, plain
from cgrx.operators._aggregates.accumulators import Accumulator, accumulator
from cgrx.operators._aggregates.aggregate import Aggregate
from cgrx.operators._aggregates.exact import number_units
from cgrx.operators._rows.declared import KEY_FIELDS as KEY_FIELDS
from cgrx.operators._rows.declared import Named as Named
from cgrx.operators._rows.declared import checked_keys, declared, running_form
from cgrx.operators._rows.declared import not_an_aggregate as not_an_aggregate
from cgrx.operators._rows.encoding import Encoded, FieldsForEncoders
from cgrx.operators._rows.shown import QUALITY, WINDOW, in_cell

INSTRUMENT = ("exchange", "symbol")


class RowType(type):
    """The type of row classes. It reads key fields and aggregates from the body of the class."""

    key_fields: tuple[str, ...]
    aggregates: Named

    def __new__(
        cls,
        name: str,
        bases: tuple[type, ...],
        namespace: dict[str, Any],
        *,
        instrument: bool = False,
        origin: "Derivation | None" = None,
    ) -> Any:
        """Make a class of rows.

        Args:
            name: as with any class, like the two that follow.
            bases: one class of rows among them.
            namespace: the body.
            instrument: whether the key must hold exchange and symbol, as for a `Bar`.
            origin: the keys and aggregates to add, for a class that a window makes; the body then holds none.
        """
        namespace.setdefault("__slots__", ())
        made: Any = super().__new__(cls, name, bases, namespace)
        parents = [base for base in bases if isinstance(base, RowType)]
        is_row_itself = not parents
        if is_row_itself:
            return made
        parent = _only(name, parents)
        keys, aggregates = (origin.keys, origin.aggregates) if origin else declared(name, made, namespace)
        made.key_fields = checked_keys(name, parent.key_fields + keys)
        made.aggregates = _checked_aggregates(name, parent.aggregates, aggregates, made.key_fields, namespace)
        made.fields = (*WINDOW, *made.key_fields, *(field for field, _ in made.aggregates), *QUALITY)
        made.over_rows = any(aggregate.reads_rows for _, aggregate in made.aggregates)
        made.accumulator = accumulator(running_form(name, made.aggregates, over_rows=made.over_rows))
        sums = [field for field, aggregate in made.aggregates if aggregate.formula.units(str) is not None]
        made._sum_at = {field: index for index, field in enumerate(sums)}
        made.instrument = instrument or parent.instrument
        made._origin = origin
        if made.key_fields:
            require_instrument(made)
        for index, (field, aggregate) in enumerate(_read_by_name(made), start=len(WINDOW)):
            setattr(made, field, _Field(index, aggregate))
        return made


class _Field:
    """Reads one value of a row; on the class it is the aggregate."""

    def __init__(self, index: int, aggregate: Aggregate[Any] | None) -> None:
        self._index = index
        self._aggregate = aggregate

    def __get__(self, row: "Row | None", owner: type) -> object:
        return (self._aggregate or self) if row is None else row.values[self._index]

    def __set__(self, row: "Row", value: object) -> None:
        # With this the descriptor goes before the `__dict__` that `encoding` fills.
        raise attrs.exceptions.FrozenInstanceError


class Row(Encoded, metaclass=RowType):
    """The values of one window: key fields, aggregates, and how much of the window was seen.

    Examples:
        >>> class Minute(ops.Row):
        ...     base_asset: str
        ...     volume = agg.volume()
        ...     most = agg.max("volume_usd")
        >>> events = batch(liquidation("long", 500), liquidation("long", 200))
        >>> [row] = play(ops.tumbling("1m", Minute), [events, alive("2m")])
        >>> row.base_asset, row.volume, row.most, row.final
        ('BTC', 700.0, 500, True)

    Subclass it: an annotation is a key field (`base_asset`, `exchange`, `symbol` or `side`), an `agg` value an
    aggregate; methods and properties may be added. Frozen; equal if class and values are; hashes, pickles (a class
    made for keyword aggregates by its definition) and prints as code. `row["n"]` is `row.n`.

    The constructor takes all fields by name, for tests; `gap_ms`, `dropped`, `late` default to 0 and `final` to True,
    or with `withdrawn=True` to False.

    `msgspec.json.encode(row)`, `json.dumps(row.asdict())` and `vars(row)` give the same names and the same values.
    """

    __slots__ = ("_given_ms", "_sums", "values")

    if not TYPE_CHECKING:  # to type checkers a row has the `__dict__` of any object, and is no dataclass
        __dataclass_fields__ = FieldsForEncoders()
        __dict__ = property(lambda row: row.asdict())

    key_fields: ClassVar[tuple[str, ...]] = ()
    """The names of the key fields, in order: a window gives one row for each key."""
    aggregates: ClassVar[Named] = ()
    """The aggregates with their names, in order."""
    fields: ClassVar[tuple[str, ...]] = (*WINDOW, *QUALITY)
    """The names of all values of a row, in order."""
    accumulator: ClassVar[type[Accumulator]] = accumulator(())
    """The running form of the aggregates."""
    over_rows: ClassVar[bool] = False
    """Whether its aggregates read the fields of rows, so that its window stands behind a window."""
    values: tuple[Any, ...]
    """The values of the row, in the order of `fields`."""

    instrument: ClassVar[bool] = False
    """Whether rows must be about one instrument each, as a `Bar`."""
    _origin: ClassVar["Derivation | None"] = None
    _sum_at: ClassVar[Mapping[str, int]] = {}
    _sums: tuple[int, ...] | None
    """See `from_values`. None: the row is withdrawn, and nothing sums it up."""

    def __init__(self, **values: object) -> None:
        cls = type(self)
        withdrawn = bool(values.pop("withdrawn", False))
        given = {"gap_ms": 0, "dropped": 0, "late": 0, "final": not withdrawn} | values
        whole = bool(given["final"]) and given["gap_ms"] == 0 and given["dropped"] == 0
        given.setdefault("complete", whole)
        missing = [field for field in cls.fields if field not in given]
        unknown = [field for field in given if field not in cls.fields]
        if missing or unknown:
            wrong = f"missing {', '.join(missing)}" if missing else f"there is no {', '.join(unknown)}"
            raise TypeError(f"{cls.__name__}(...) takes its fields by name: {', '.join(cls.fields)}; {wrong}")
        if given["complete"] != whole:
            raise ValueError(f"complete={given['complete']!r}: it is True if final, gap_ms is 0 and dropped is 0, only")
        if withdrawn and given["final"]:
            raise ValueError(f"final={given['final']!r}: a withdrawn row is a running one, and so not final")
        _store(self, tuple(given[field] for field in cls.fields))
        _store_sums(self, None if withdrawn else ())

    @classmethod
    def from_values(cls, values: tuple[Any, ...], sums: tuple[int, ...] = ()) -> Self:
        """A row of these values, in the order of `fields`. Nothing is checked, so that it is fast.

        `sums` are those values that are sums as `Accumulator.sums` gives them: exactly, for windows over rows.
        """
        row: Self = _new(cls)
        _store(row, values)
        _store_sums(row, sums)
        return row

    @property
    def start_ms(self) -> int:
        """Where the window begins, milliseconds since the epoch; events at that time belong to it."""
        return cast(int, self.values[0])

    @property
    def end_ms(self) -> int:
        """Where it ends, milliseconds since the epoch; events at that time do not."""
        return cast(int, self.values[1])

    @property
    def time_ms(self) -> int:
        """The moment that the row speaks of, milliseconds since the epoch.

        `end_ms`; of a running row of `updates=`, and of a withdrawn one, the event time when it was given. No field:
        rows are equal without it.
        """
        return cast(int, getattr(self, "_given_ms", self.values[1]))

    @property
    def identity(self) -> tuple[int | str | LiquidationSide | TradeSide, ...]:
        """What a table that is updated in place knows the row by: `start_ms`, and the values of the key fields.

        All rows that a window gives for one key have it, the running ones and the final one. Their `end_ms` may differ.
        Two bars can have the same one; see `count_bars`.
        """
        return (self.values[0], *self.values[len(WINDOW) : len(WINDOW) + len(type(self).key_fields)])

    @property
    def withdrawn(self) -> bool:
        """True if the row takes back the running row that was given last with the same `identity`, and has its values.

        There will be no final row of that identity, unless a later running row begins it anew. See `session`.
        """
        return self._sums is None

    @property
    def gap_ms(self) -> int | None:
        """How many milliseconds of the window may not have been seen; None where that is not known."""
        return cast("int | None", self.values[-5])

    @property
    def dropped(self) -> int:
        """How many events are known to have been lost before they got here."""
        return cast(int, self.values[-4])

    @property
    def late(self) -> int:
        """How many events this subscription has seen so far that came after their window had closed."""
        return cast(int, self.values[-3])

    @property
    def final(self) -> bool:
        """False for a running row of a window that is still open."""
        return cast(bool, self.values[-2])

    @property
    def complete(self) -> bool:
        """True if the row is final and no event is known or feared to be missing."""
        return cast(bool, self.values[-1])

    def asdict(self) -> dict[str, object]:
        """The fields and their values in order, plain: as `json.dumps` takes them.

        Sides are words (`"buy"`), events what their `asdict()` gives, mappings dictionaries, tuples lists. What an
        `agg.custom` gives is left as it is, unless it is one of these. A withdrawn row has `"withdrawn": True` besides.
        """
        found: dict[str, object] = {
            field: value if type(value) in PLAIN else plain(value)
            for field, value in zip(type(self).fields, self.values, strict=True)
        }
        return found | {"withdrawn": True} if self.withdrawn else found

    @property
    def _place(self) -> tuple[Any, ...]:
        """Its place in the order of rows: by start, end and key."""
        return self.values[: len(WINDOW) + len(type(self).key_fields)]

    def _units_of(self, field: str) -> int:
        """A number of the row in units, exactly if it is a sum and the row came from its window."""
        at = type(self)._sum_at.get(field)
        if at is not None and self._sums:
            return self._sums[at]
        try:
            return number_units(getattr(self, field))
        except ValueError as error:
            raise ValueError(f"{field}={error}") from None

    def _named(self) -> dict[str, object]:
        """The fields and their values as they are, and that the row is withdrawn if it is."""
        named: dict[str, object] = dict(zip(type(self).fields, self.values, strict=True))
        return named | {"withdrawn": True} if self.withdrawn else named

    def __getitem__(self, field: str) -> object:
        try:
            return self.values[type(self).fields.index(field)]
        except ValueError:
            raise KeyError(f"{field!r} is no field of this row; those are {', '.join(type(self).fields)}") from None

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return self.values == other.values and self.withdrawn == other.withdrawn

    def __hash__(self) -> int:
        return hash((type(self), self.values))

    def __repr__(self) -> str:
        values = self._named()
        keys = {field: values.pop(field) for field in type(self).key_fields}
        return f"{type(self).__name__}({', '.join(f'{field}={value!r}' for field, value in (keys | values).items())})"

    def _repr_html_(self) -> str:
        return in_cell(type(self).__name__, self, self._named())

    def __setattr__(self, name: str, value: object) -> None:
        raise attrs.exceptions.FrozenInstanceError

    def __delattr__(self, name: str) -> None:
        raise attrs.exceptions.FrozenInstanceError

    def __reduce__(self) -> tuple[object, ...]:
        return _restore, (type(self), self.values, getattr(self, "_given_ms", None), self._sums)


_new: Callable[[type[Any]], Any] = object.__new__
_store: Callable[[Row, tuple[Any, ...]], None] = vars(Row)["values"].__set__
give_at: Callable[[Row, int], None] = vars(Row)["_given_ms"].__set__
"""Say at which event time a running row was given, see `Row.time_ms`."""
_store_sums: Callable[[Row, tuple[int, ...] | None], None] = vars(Row)["_sums"].__set__
_TAKEN = frozenset(name for name in dir(Row) if not name.startswith("_"))
"""Names that an aggregate cannot have, for a row has them already."""


def withdrawal(row: Row, at_ms: int) -> Row:
    """The row that takes back this running one, at this event time."""
    return _restore(type(row), row.values, at_ms, None)


def _restore(cls: type[Row], values: tuple[Any, ...], given_ms: int | None, sums: tuple[int, ...] | None) -> Row:
    row = cls.from_values(values)
    if given_ms is not None:
        give_at(row, given_ms)
    _store_sums(row, sums)
    return row


@attrs.frozen
class Derivation:
    """How a class of rows that has no name of its own is made: a declared class with more keys and aggregates."""

    base: type[Row]
    keys: tuple[str, ...]
    aggregates: Named

    def row_type(self) -> type[Row]:
        """The class, the same one while it is in use, so that equal rows are of one type."""
        found = _derived.get(self)
        if found is None:
            made = cast(
                "type[Row]", RowType(self.base.__name__, (self.base,), {"__doc__": self.base.__doc__}, origin=self)
            )
            found = _derived.setdefault(self, made)
        return found


_derived: "weakref.WeakValueDictionary[Derivation, type[Row]]" = weakref.WeakValueDictionary()


def _reduce_type(cls: Any) -> str | tuple[Any, ...]:
    """How pickle writes a class of rows: by its name, or by how it was made."""
    origin: Derivation | None = cls._origin
    return cls.__qualname__ if origin is None else (Derivation.row_type, (origin,))


# pickle asks the classes themselves only after this table.
copyreg.pickle(RowType, _reduce_type)


def require_instrument(row: type[Row]) -> None:
    """Check that each row is about one instrument, where its class demands that.

    Raises:
        ValueError: the key leaves it open.
    """
    if row.instrument and not set(INSTRUMENT) <= set(row.key_fields):
        raise ValueError(
            f"{row.__name__} by {row.key_fields!r}: its open, high, low and close are those of one instrument, so its"
            " key must hold 'exchange' and 'symbol' (symbols are each exchange's own); for several instruments"
            " together declare a Row with agg.vwap()"
        )


def _only(name: str, parents: list[RowType]) -> "type[Row]":
    """The one class of rows that a new one extends."""
    if len(parents) > 1:
        raise TypeError(f"{name}: a row extends one class of rows, not {', '.join(each.__name__ for each in parents)}")
    return cast("type[Row]", parents[0])


def _read_by_name(row: "type[Row]") -> list[tuple[str, Aggregate[Any] | None]]:
    """The fields that stand behind those of the window in a row, in order; a key field has no aggregate."""
    return [*((field, None) for field in row.key_fields), *row.aggregates]


def _checked_aggregates(
    name: str, inherited: Named, added: Named, keys: tuple[str, ...], namespace: Mapping[str, object]
) -> Named:
    taken = _TAKEN | set(keys) | {field for field, _ in inherited}
    for field in (*(field for field, _ in added), *namespace):
        if field in taken:
            raise ValueError(f"{name}: {field!r} is a field of every such row already; give it another name")
        if not field.isidentifier() or (field.startswith("_") and field not in namespace):
            raise ValueError(f"{name}: {field!r} cannot name a field; give a name that does not begin with '_'")
    return inherited + added
