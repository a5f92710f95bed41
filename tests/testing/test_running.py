"""`cgrx.testing.run`: a clock that jumps over every wait."""

import math

import pytest
import trio

from cgrx.testing import run


def test_it_begins_at_0_jumps_and_returns_what_the_function_returns() -> None:
    async def main(seconds: float, *, since: float = 0.0) -> float:
        assert trio.current_time() == since
        await trio.sleep(seconds)
        return trio.current_time()

    assert run(main, 3_600.0) == 3_600.0
    assert run(main, 1e7, limit=math.inf) == 1e7


def test_what_waits_for_what_never_comes_fails() -> None:
    """After the limit of that clock, at once by ours."""
    times: list[float] = []

    async def main() -> None:
        try:
            await trio.sleep_forever()
        finally:
            times.append(trio.current_time())

    for limit in ({}, {"limit": "5s"}):
        with pytest.raises(trio.TooSlowError):
            run(main, **limit)
    assert times == [86_400.0, 5.0]


def test_what_the_function_raises_is_raised_plain() -> None:
    async def main() -> None:
        raise LookupError("here")

    with pytest.raises(LookupError, match="here"):
        run(main)


def test_a_limit_that_is_no_duration_is_refused() -> None:
    with pytest.raises(ValueError, match="limit="):
        run(trio.sleep_forever, limit="soon")
