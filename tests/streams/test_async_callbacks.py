"""An async function cannot subscribe: reactivex would call it and drop the coroutine."""

from collections.abc import Callable
from functools import partial, wraps
from types import MethodType
from typing import Any

import pytest
from reactivex import operators as rx_ops

from cgrx.testing import batch
from tests.streams.streaming import Hot, Notes


async def later(event: object = None) -> None:
    pass


async def ever(event: object = None) -> Any:
    yield event


class Later:
    """Its calls are awaited."""

    async def __call__(self, event: object = None) -> None:
        pass


class LaterObserver:
    """Awaits its events."""

    async def on_next(self, event: object) -> None:
        pass

    def on_error(self, error: Exception) -> None:
        pass

    def on_completed(self) -> None:
        pass


@wraps(later)
async def wrapped(event: object = None) -> None:
    pass


class Called:
    """Its method is awaited."""

    async def later(self, event: object = None) -> None:
        pass


ASYNC = [later, ever, wrapped, partial(later), Later(), partial(partial(later)), Called().later]


@pytest.mark.parametrize("runtime", [None, Notes()])
@pytest.mark.parametrize("callback", ASYNC)
def test_an_async_function_cannot_subscribe(runtime: Notes | None, callback: Any) -> None:
    hot = Hot[int](runtime)
    subscribes: list[Callable[[], object]] = [
        lambda: hot.stream.subscribe(callback),
        lambda: hot.stream.subscribe(None, callback),
        lambda: hot.stream.subscribe(None, None, callback),
        lambda: hot.stream.subscribe(LaterObserver()),  # type: ignore[arg-type]  # has the methods of one
    ]
    if runtime is not None:
        subscribes.append(lambda: hot.stream.pipe(rx_ops.skip(0)).subscribe(callback))
    for subscribe in subscribes:
        with pytest.raises(TypeError, match=r"an async function cannot be a subscriber.*cgrx\.stream\(observable\)"):
            subscribe()
    assert hot.subscribers == 0


def test_a_method_of_what_is_no_function_can_subscribe() -> None:
    """It has no code that tells whether it is async."""
    hot = Hot[int]()
    seen: dict[str, int] = {}
    hot.stream.subscribe(MethodType(partial(seen.__setitem__), "event"))
    hot.say(batch(1))
    assert seen == {"event": 1}
