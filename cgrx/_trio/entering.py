"""What `connect()` and its like return: to be entered by `async with`, and by nothing else; each misuse says so."""

from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Any, NoReturn, TypeVar

T_co = TypeVar("T_co", covariant=True)


class ToEnter(AbstractAsyncContextManager[T_co]):
    """A context manager that says how to enter it where it is awaited, iterated over, or used as what it would give.

    Functions that return one are typed as returning an `AbstractAsyncContextManager`, so that type checkers refuse
    the misuses, which exist here only to raise.

    Args:
        manager: entered and left in its place.
        call: the call that returned it, as `"cgrx.connect()"`.
        gives: the name under which its value is best known, as `"feed"`.
    """

    def __init__(self, manager: AbstractAsyncContextManager[T_co], call: str, gives: str) -> None:
        self._manager = manager
        self._call = call
        self._gives = gives

    # Not `async`: a frame of their own would stand in every traceback, and keep what its locals refer to. `Any`,
    # because mypy and pyright have different names for the type of what `async def` returns.

    def __aenter__(self) -> Any:
        return self._manager.__aenter__()

    def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> Any:
        return self._manager.__aexit__(kind, error, traceback)

    def __await__(self) -> NoReturn:
        raise TypeError(f"{self._call} cannot be awaited: {self._usage}")

    def __aiter__(self) -> NoReturn:
        raise TypeError(f"{self._call} cannot be iterated over: {self._usage}")

    def __enter__(self, *_: object) -> NoReturn:
        raise TypeError(f"{self._call} needs `async with`, not `with`: {self._usage}")

    __exit__ = __enter__  # never reached; without it `with` would not come as far as `__enter__`

    def __getattr__(self, name: str) -> NoReturn:
        raise AttributeError(
            f"{self._call} has no {name!r} before it is entered: {self._usage}", name=name, obj=self._manager
        )

    @property
    def _usage(self) -> str:
        opening, closing = self._call[:-1], self._call[-1]
        return f"`async with {opening}...{closing} as {self._gives}: ...`"
