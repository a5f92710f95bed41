"""The numbers that the recipes of the cookbook print, each computed a second time in another way."""

import runpy
from typing import Any

import cgrx
from tests.docs import pages


def run(name: str) -> dict[str, Any]:
    """The names of a recipe that has run."""
    return runpy.run_path(str(pages.EXAMPLES / "cookbook" / name))


def printed(name: str) -> list[str]:
    """The lines that a recipe prints."""
    return pages.output(f"cookbook/{name}").splitlines()


def test_cvd() -> None:
    """The sum of all trades seen up to each minute, by a loop over the trades."""
    names = run("cvd.py")
    expected: list[str] = []
    usd = 0.0
    for minute in range(6):
        for each in names["trades"][60 * minute : 60 * (minute + 1)]:
            if not 200_000 <= each.time_ms < 205_000:
                usd += each.volume_usd if each.side is cgrx.TradeSide.BUY else -each.volume_usd
        expected.append(f"{minute + 1} min  {usd:>+10,.0f} USD{'' if minute < 3 else '  incomplete'}")
    assert printed("cvd.py") == expected
