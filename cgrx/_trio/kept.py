"""A context manager that one task enters and another one leaves: a task of its own holds it meanwhile."""

from contextlib import AbstractAsyncContextManager
from typing import Generic, TypeVar

import trio

T = TypeVar("T")


class Kept(Generic[T]):
    """Holds a manager whose scopes must be left by the task that has entered them, as those of anyio."""

    def __init__(self, manager: AbstractAsyncContextManager[T]) -> None:
        self._manager = manager
        self._scope = trio.CancelScope()
        self._entered = trio.Event()
        self._left = trio.Event()
        self._value: list[T] = []
        self._error: Exception | None = None
        trio.lowlevel.spawn_system_task(self._hold)

    async def enter(self) -> T:
        """What the manager gives. Raises what entering it raises."""
        try:
            await self._entered.wait()
        except BaseException:
            self._scope.cancel()
            raise
        if self._error is not None:
            raise self._error
        return self._value[0]

    async def leave(self) -> None:
        """Leave the manager, whatever it raises."""
        self._scope.cancel()
        await self._left.wait()

    async def _hold(self) -> None:
        try:
            with self._scope:
                async with self._manager as value:
                    self._value.append(value)
                    self._entered.set()
                    await trio.sleep_forever()
        except Exception as error:  # noqa: BLE001 - raised by `enter`; later, whoever uses the value notices too
            self._error = error
        finally:
            self._entered.set()
            self._left.set()
