"""A frozen mapping, so that a row which holds one stays frozen, hashes and pickles."""

from collections.abc import Iterator, Mapping

import attrs


@attrs.frozen(repr=False, eq=False)
class Shares(Mapping[str, float]):
    """A frozen mapping from names to numbers, sorted by name; equal to any mapping of the same items."""

    _items: tuple[tuple[str, float], ...]

    def __getitem__(self, name: str) -> float:
        for key, value in self._items:
            if key == name:
                return value
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return (key for key, _ in self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __hash__(self) -> int:
        return hash(self._items)

    def __repr__(self) -> str:
        return repr(dict(self._items))
