"""`cgrx.run` without any signal: what it takes, what it gives, and where it does not run."""

import asyncio
import signal
from typing import Any

import pytest
import trio

import cgrx

# Without any signal


def test_without_a_signal_it_is_trio() -> None:
    """Arguments, the value, exceptions as they are; a feed and a clock as under `trio.run`."""

    async def main(first: int, second: str) -> tuple[int, str]:
        await trio.lowlevel.checkpoint()
        if second == "raise":
            raise LookupError("main's")
        return first, second

    assert cgrx.run(main, 1, "two") == (1, "two")
    with pytest.raises(LookupError, match="main's"):
        cgrx.run(main, 1, "raise")


def test_signals_that_are_ignored_or_not_pythons_stay_so() -> None:
    """As SIGHUP is under `nohup`."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:

        async def main() -> None:
            signal.raise_signal(signal.SIGHUP)
            await trio.lowlevel.checkpoint()

        cgrx.run(main)
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


# Used wrongly


def test_inside_trio_it_says_to_await() -> None:
    async def main() -> None:
        with pytest.raises(cgrx.InTrioError, match=r"starts trio, which runs here already: await main\(\)"):
            cgrx.run(main)

    trio.run(main)


def test_inside_asyncio_it_names_cgrx_aio() -> None:
    async def main() -> None:
        with pytest.raises(cgrx.NotInTrioError, match=r"asyncio runs here .* cgrx\.aio"):
            cgrx.run(main)

    asyncio.run(main())


def test_in_another_thread_it_names_what_works_there() -> None:
    async def inner() -> None:
        """Never called."""

    async def main() -> None:
        with pytest.raises(cgrx.ThreadError, match=r"main thread alone: .* trio\.run\(main\).* cgrx\.sync"):
            await trio.to_thread.run_sync(cgrx.run, inner)

    trio.run(main)


async def _given() -> None:
    """A main."""


@pytest.mark.parametrize(
    ("main", "options", "kind", "match"),
    [
        (5, {}, TypeError, r"main=5 is no async function"),
        (lambda: 5, {}, TypeError, r"has returned 5, and is no async function"),
        (_given, {"drain": "soon"}, ValueError, r"drain='soon' is not a duration"),
        (_given, {"drain": -1}, ValueError, r"drain=-1 must not be negative"),
    ],
)
def test_arguments_that_cannot_be_used(main: Any, options: dict[str, Any], kind: type[Exception], match: str) -> None:
    with pytest.raises(kind, match=match):
        cgrx.run(main, **options)


def test_a_call_in_place_of_the_function() -> None:
    """Nobody is warned of a coroutine that was never awaited."""
    called: Any = _given()
    with pytest.raises(TypeError, match=r"calls the function itself: cgrx\.run\(_given, \.\.\.\), without parentheses"):
        cgrx.run(called)
