"""The state of a pipeline as bytes, and back.

    magic, format    "cgrx" and a byte: another format is of another version of cgrx
    fingerprint      16 bytes, of what the pipeline is; and the beginning of its text, so that an error can name it
    checksum         of what follows
    state            by pickle, compressed. What belongs to the pipeline, such as the classes of its rows, stands there
                     as a number, and is found again in the pipeline that was built anew

Reading it calls nothing but classes of cgrx's values, of plain values of the standard library, and of the modules that
hold the functions and classes of the pipeline itself.
"""

import copyreg
import io
import pickle
import struct
import zlib
from collections.abc import Iterable
from hashlib import blake2b
from types import BuiltinFunctionType, FunctionType
from typing import Any, Final, NoReturn, cast

import attrs

from cgrx._model.use_errors import StateError
from cgrx._streams.keeping import Kept

FORMAT: Final = 5
"""To be raised with every change of what running forms hold."""

_MAGIC: Final = b"cgrx"
_HEAD: Final = struct.Struct(">4sB16sHI")  # magic, format, fingerprint, length of the text, checksum
_TEXT: Final = 300
"""So much of the text of a pipeline is kept."""

_OURS: Final = ("cgrx._model.", "cgrx._streams.", "cgrx._shards.", "cgrx._replay.seams", "cgrx.operators.", "ddsketch.")
_PLAIN: Final = {
    "array": {"array", "_array_reconstructor"},
    "builtins": {"bool", "bytearray", "bytes", "complex", "dict", "float", "frozenset", "int", "list", "object"}
    | {"range", "set", "slice", "str", "tuple"},
    "collections": {"Counter", "OrderedDict", "defaultdict", "deque"},
    "datetime": {"date", "datetime", "time", "timedelta", "timezone"},
    "decimal": {"Decimal"},
    "fractions": {"Fraction"},
    "uuid": {"UUID"},
}


@attrs.frozen(eq=False)
class Identity:
    """What a pipeline is, as far as its state depends on it."""

    text: str
    """As people read it."""
    description: str
    """As text that differs wherever the pipeline does."""
    belongings: tuple[object, ...]
    """What its state refers to, in the same order wherever it is built."""
    modules: frozenset[str]
    """The modules of its functions and classes."""

    @property
    def fingerprint(self) -> bytes:
        """16 bytes of the description."""
        return blake2b(self.description.encode(), digest_size=16).digest()

    @property
    def shown(self) -> str:
        """For an error."""
        return _shown(self.fingerprint, _short(self.text))


def stored(identity: Identity, parts: Iterable[tuple[str, Kept]]) -> bytes:
    """The states of these parts, each with its name for an error.

    Raises:
        StateError: one holds what cannot be put away.
    """
    named = [(name, _state_of(name, part)) for name, part in parts]
    try:
        body = _pickled(identity, [state for _, state in named])
    except Exception as error:
        blamed = " and ".join(name for name, state in named if not _pickles(identity, state))
        raise _refused(blamed, error) from error
    body = zlib.compress(body, 1)
    text = _short(identity.text).encode()
    return _HEAD.pack(_MAGIC, FORMAT, identity.fingerprint, len(text), zlib.crc32(body)) + text + body


def take_up(identity: Identity, parts: Iterable[Kept], data: bytes) -> None:
    """Let these parts go on from the states of others.

    Raises:
        StateError: the bytes are no state, are damaged, or of another pipeline or version.
    """
    states = _unpickled(identity, _opened(identity, data))
    for part, state in zip(parts, states, strict=True):
        part.take_up(state)


def _opened(identity: Identity, data: bytes) -> bytes:
    """The states in the bytes, if they are of this pipeline."""
    if len(data) < _HEAD.size or not data.startswith(_MAGIC):
        raise StateError(f"these {len(data)} bytes are no state of a pipeline: they do not begin as one")
    _, version, fingerprint, length, checksum = _HEAD.unpack_from(data)
    if version != FORMAT:
        raise StateError(
            f"the state is of format {version}, and this version of cgrx knows format {FORMAT}: go on with the version"
            " that wrote it, or begin anew",
            f"format {version}",
            f"format {FORMAT}",
        )
    text, body = data[_HEAD.size : _HEAD.size + length], data[_HEAD.size + length :]
    if zlib.crc32(body) != checksum:
        raise StateError("the state is damaged: its checksum is not that of its bytes")
    if fingerprint != identity.fingerprint:
        found = _shown(fingerprint, text.decode(errors="replace"))
        raise StateError(
            f"the state is of another pipeline: it is of {found}, and this is {identity.shown}. A state goes on only in"
            " the pipeline that it is of: begin anew, or build that one",
            found,
            identity.shown,
        )
    return zlib.decompress(body)


def _shown(fingerprint: bytes, text: str) -> str:
    return f"{text} [{fingerprint.hex()[:12]}]"


def _short(text: str) -> str:
    return text if len(text.encode()) <= _TEXT else text.encode()[: _TEXT - 3].decode(errors="ignore") + "..."


def _state_of(name: str, part: Kept) -> object:
    try:
        return part.state()
    except Exception as error:
        raise _refused(name, error) from error


def _refused(name: str, error: Exception) -> StateError:
    return StateError(
        f"the state of {name} cannot be put away: {error}. Give its running form a `state` and a `take_up` of its own,"
        " with values that pickle"
    )


def _pickles(identity: Identity, state: object) -> bool:
    try:
        _pickled(identity, [state])
    except Exception:  # noqa: BLE001 - what pickle raises depends on what it is given
        return False
    return True


def _admits(identity: Identity, found: object) -> bool:
    """Whether a state may name this class or function."""
    named = cast(Any, found)
    module, name = str(named.__module__), str(named.__qualname__)
    if module.startswith(_OURS) or module in identity.modules:
        return isinstance(found, type) or (isinstance(found, FunctionType) and name in _CALLED)
    return name in _PLAIN.get(module, ())


_CALLED: Final = {"_restore", "_path", "accumulator", "Derivation.row_type"}
"""The functions of cgrx with which its values pickle."""


def _belonging(number: int) -> NoReturn:
    """Stands in a state for what belongs to the pipeline. `_Unpickler` finds it."""
    raise StateError(f"{number} stands for a part of a pipeline: only cgrx.Shard.restore reads a state")


def _pickled(identity: Identity, states: list[object]) -> bytes:
    numbers = {id(each): number for number, each in enumerate(identity.belongings)}

    def reduced(value: Any) -> Any:
        number = numbers.get(id(value))
        if number is not None:
            return _belonging, (number,)
        reduce = copyreg.dispatch_table.get(cast(Any, type(value)))
        return value.__reduce_ex__(pickle.HIGHEST_PROTOCOL) if reduce is None else reduce(value)

    file = io.BytesIO()
    pickler = pickle.Pickler(file, pickle.HIGHEST_PROTOCOL)
    # A table, and no method of a subclass: that would be called for every single value.
    pickler.dispatch_table = copyreg.dispatch_table | {type(each): reduced for each in identity.belongings}
    pickler.dump(states)
    for _, named in pickler.memo.copy().values():
        if isinstance(named, type | FunctionType | BuiltinFunctionType) and not (
            id(named) in numbers or named is _belonging or _admits(identity, named)
        ):
            raise pickle.PicklingError(
                f"it holds {named.__module__}.{named.__qualname__}, which is neither a plain value nor of a module of"
                " the pipeline"
            )
    return file.getvalue()


class _Unpickler(pickle.Unpickler):
    def __init__(self, file: io.BytesIO, identity: Identity) -> None:
        super().__init__(file)
        self._identity = identity

    def find_class(self, module_name: str, global_name: str, /) -> Any:
        if (module_name, global_name) == (__name__, _belonging.__name__):
            return self._identity.belongings.__getitem__
        if module_name.startswith(_OURS) or module_name in self._identity.modules or module_name in _PLAIN:
            found = super().find_class(module_name, global_name)
            if _admits(self._identity, found):
                return found
        raise StateError(f"the state names {module_name}.{global_name}, which no state of this pipeline does")


def _unpickled(identity: Identity, body: bytes) -> list[object]:
    return cast("list[object]", _Unpickler(io.BytesIO(body), identity).load())
