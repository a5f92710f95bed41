"""Where something waits or is kept between the socket and what a user has, how much at most, and what happens then.

Every number is that of the code: a field of `Limits`, the default of an argument, or what a stage says of itself.
"""

import inspect
from collections.abc import Callable
from typing import Any

import attrs

import cgrx
from cgrx import Limits
from cgrx import operators as ops
from cgrx._delivery.options import BUFFER
from cgrx._model.limits import MAX_EXCHANGES, SPILL_BYTES
from tests.docs.sheet import Box, Sheet, broken

MIB = 2**20


@attrs.frozen
class Place:
    """Where something is kept."""

    name: str
    bound: str
    full: str
    """What happens when there is more."""


def default(function: Callable[..., object], argument: str) -> object:
    """The default of an argument."""
    return inspect.signature(function).parameters[argument].default


def kept(stage: ops.Stage[Any, Any]) -> tuple[str, str]:
    """What a stage keeps at most, and what happens then, in its own words."""
    told = next(line for line in str(cgrx.explain(stage)).splitlines() if line.strip().startswith("state:"))
    what, _, then = told.partition(":")[2].strip().rpartition(", then ")
    return what, then


def places() -> dict[str, list[Place]]:
    """From the socket on, by where on the way they are."""
    limits = Limits()
    windows, too_many = kept(ops.tumbling("1m", by="exchange"))
    return {
        "from the socket": [
            Place(
                "a message",
                f"{limits.message_bytes / MIB:g} MiB: Limits.message_bytes",
                "the connection is closed with code 1009",
            ),
            Place(
                "received, not yet dispatched",
                f"{limits.buffer_bytes / MIB:g} MiB: Limits.buffer_bytes",
                "the socket is not read until there is room",
            ),
        ],
        "in a pipeline": [
            Place("a window", windows, f"the stream fails with {too_many}"),
            Place(
                "exchanges that are told apart",
                f"{MAX_EXCHANGES} of a channel",
                "all further names count as one more exchange",
            ),
            Place(
                "merge_exchanges",
                f"{default(cgrx.merge_exchanges, 'max_held'):,} events: max_held=",
                "the earliest of them goes out",
            ),
        ],
        "on the way out": [
            Place(
                "cgrx.stream",
                f"{default(cgrx.stream, 'buffer'):,} events: buffer=",
                f'what overflow= says; "{default(cgrx.stream, "overflow")}" raises BufferOverflowError',
            ),
            Place(
                "a sink",
                f"{BUFFER:,} items: buffer=",
                "running rows are given up, then the oldest items; with spill= a folder takes up to"
                f" {SPILL_BYTES / 2**30:g} GiB",
            ),
            Place(
                "a recorder",
                f"{default(cgrx.record, 'buffer'):,} events: buffer=",
                "batches are left out; a Dropped in the recording tells it",
            ),
        ],
    }


def draw() -> Sheet:
    """The picture."""
    everywhere = places()
    sheet = Sheet(
        "From the socket through a pipeline to the way out: each place where something is kept, how much at most, and"
        " what happens when there is more",
        "; ".join(
            f"{place.name}: {place.bound}, then {place.full}" for group in everywhere.values() for place in group
        ),
        sum(34 + sum(_height(place) + 8 for place in group) for group in everywhere.values()) + 44,
    )
    down = 20.0
    for number, (name, group) in enumerate(everywhere.items()):
        if number:
            sheet.arrow(220, down - 18, 220, down + 6)
            down += 24
        sheet.text(8, down, name, "head")
        down += 10
        for place in group:
            _box(sheet, place, down)
            down += _height(place) + 8
        down += 14
    return sheet


def _lines(place: Place) -> tuple[list[str], list[str]]:
    return broken(place.bound, 404), broken(f"then {place.full}", 404, "soft")


def _height(place: Place) -> float:
    return 31 + 17 * sum(map(len, _lines(place)))


def _box(sheet: Sheet, place: Place, down: float) -> None:
    bound, full = _lines(place)
    box = sheet.box(Box(8, down, 424, _height(place)), edge="event")
    sheet.text(18, down + 19, place.name, "head", within=box)
    under = sheet.lines(18, down + 38, bound, within=box)
    sheet.lines(18, under, full, "soft", box)
