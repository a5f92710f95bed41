"""Numbers at the limits of floats and integers, in every field: read exactly, or counted as malformed."""

import math

import pytest

import cgrx
from tests.hostile.parts import EVENT, MALFORMED_EVENT, Part, event_text, text
from tests.hostile.promise import trial
from tests.hostile.server import Play
from tests.support import run

ABOVE_ZERO = [
    *("1e308", "1.7976931348623157e308", "1e-308", "2.2250738585072014e-308", "5e-324", "4e-324"),
    *(str(2**power + more) for power in (31, 32, 53, 63, 64) for more in (-1, 0, 1)),
    *("0.1", "1E5", "1e0", "1" + "0" * 300, "0." + "0" * 300 + "1", "1" * 309),
]
"""JSON numbers that a float can hold, above zero; as texts too."""

NO_NUMBERS = [
    *("0", "-0", "0.0", "-0.0", "1e-324", "-1", "-1e308", "-5e-324", "1e309", "-1e309", "1" * 400, "1e99999"),
    *("NaN", "Infinity", "-Infinity", '"NaN"', '"nan"', '"Infinity"', '"inf"', '"-0.0"', '"1e309"', '"1e-400"'),
    *('""', '" "', '"1x"', '"0x10"', '"1_000"', '"\u0661"', '"1,5"', '"--1"', '"1e"', '"."', '"' + "1" * 401 + '"'),
    *("null", "true", "false", "[]", "[1]", "{}"),
]
"""What is no price: no number, not finite, not above zero or not JSON at all."""

TIMES = ["0", "1", "1.0", '"5"', str(2**31), str(2**32), "100000000000000", "1725416318392", "253402300799999"]
"""From 1970 to the end of the year 9999."""

NO_TIMES = [
    *("-1", "-0.5", "0.5", "253402300800000", str(2**53 - 1), str(2**53 + 1), str(2**63 - 1), str(2**63), str(2**64)),
    *("1e300", "1e309", "NaN", "Infinity", '"1.5"', '"9e99"', '""', "null", "true", "[]", "{}", "-253402300799999"),
]

SIDES = ["1", "2", "1.0", "2.0", '"1"', '"2"', '"2.0"', "1e0", "20e-1"]
NO_SIDES = [
    "0",
    "3",
    "-1",
    "1.5",
    "0.9999999999999999",
    str(2**63),
    '"long"',
    '""',
    "NaN",
    "1e309",
    "true",
    "null",
    "[1]",
]


def in_field(name: str, values: list[str], good: bool) -> list[Part]:
    return [text(event_text(**{name: value}), EVENT if good else MALFORMED_EVENT) for value in values]


@pytest.mark.parametrize("name", ["price", "volUsd"])
def test_floats(name: str) -> None:
    """What a subscriber gets is the float nearest to what the server wrote."""
    written = [*ABOVE_ZERO, *(f'"{value}"' for value in ABOVE_ZERO)]

    async def main() -> None:
        async with trial(memory=False) as t:
            before = len(t.seen.events)
            await t.survive(Play(in_field(name, written, True), "goes on"))
            events = t.seen.events[before : before + len(written)]
            read = [event.price if name == "price" else event.volume_usd for event in events]
            assert read == [float(value.strip('"')) for value in written]
            for part in in_field(name, NO_NUMBERS, False):
                await t.survive(Play([part]))
            assert all(math.isfinite(event.price) and event.price > 0 for event in t.seen.events)

    run(main)


def test_times_and_sides() -> None:
    """From one end of what a calendar holds to the other; no other side than two."""

    async def main() -> None:
        async with trial(memory=False) as t:
            good = in_field("time", TIMES, True) + in_field("side", SIDES, True)
            await t.survive(Play(good, "goes on"))
            for part in [*in_field("time", NO_TIMES, False), *in_field("side", NO_SIDES, False), *good]:
                await t.survive(Play([part]))
            assert {type(event) for event in t.seen.events} == {cgrx.Liquidation}

    run(main)
