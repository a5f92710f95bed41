"""The sentence that says which event loop is missing."""

import asyncio  # noqa: TID251 - what a user may have in its place

import pytest
import trio

import cgrx
from cgrx._loop import require_trio
from tests.support import run_mock


def test_inside_trio_it_gives_the_token() -> None:
    async def main() -> None:
        assert require_trio("this") is trio.lowlevel.current_trio_token()

    run_mock(main)


def test_without_a_loop_connect_says_so_at_the_call() -> None:
    """Not only when it is entered: what is missing is named in one sentence, with what to do."""
    with pytest.raises(cgrx.NotInTrioError, match=r"^connect\(\) needs a running trio loop.* trio\.run\(main\)"):
        cgrx.connect(api_key="k")


def test_under_asyncio_connect_says_so_at_the_call() -> None:
    """Jupyter and FastAPI run asyncio."""

    async def main() -> None:
        with pytest.raises(cgrx.NotInTrioError, match=r"asyncio's .*Jupyter, FastAPI"):
            cgrx.connect(api_key="k")

    asyncio.run(main())
