"""Channels in groups, a shard for each group; one is killed and goes on from its snapshot, the other one goes on."""

import math
from collections.abc import Callable
from typing import TypeAlias

import attrs
from reactivex import Observable

import cgrx
from cgrx import FuturesTrades, Record
from cgrx import operators as ops
from cgrx._shards.groups import group_of, partition_of
from cgrx._shards.record import Numbering
from cgrx.operators import agg
from cgrx.testing import alive, batch, gap, trade
from tests.docs.pictures.rows import in_words
from tests.docs.sheet import Box, Colour, Sheet

PARTITIONS = 4
MARKETS = (("Binance", "BTCUSDT"), ("OKX", "BTC-USDT-SWAP"), ("Binance", "ETHUSDT"), ("OKX", "ETH-USDT-SWAP"))
CHANNELS = tuple(FuturesTrades(exchange, symbol, 0) for exchange, symbol in MARKETS)
EVENTS_S = {"BTC": (1, 4, 7, 11, 14, 18, 23, 26, 31), "ETH": (2, 3, 9, 12, 15, 22, 24, 27, 33)}
SNAPSHOT_AT, KILLED_AT = 12, 17
"""After so many records of the group."""
COLUMN, ROWS = 208.0, 468.0
STAGE = ops.tumbling("10s", by="base_asset", n=agg.count())


def channels_of(group: str) -> list[FuturesTrades]:
    """The channels that are read together."""
    return [channel for channel in CHANNELS if group_of(channel, "base_asset") == group]


def pipeline(group: str) -> Callable[[cgrx.Feed], Observable[ops.Row]]:
    """What runs in its shard."""
    markets = [(channel.exchange, channel.symbol) for channel in channels_of(group)]

    def rows(feed: cgrx.Feed) -> Observable[ops.Row]:
        return feed.futures_trades_across(markets, min_volume=0).pipe(STAGE)

    return rows


def records(group: str) -> list[Record]:
    """What stands on the log of the channels of a group."""
    numbering = Numbering("a1")
    channels = channels_of(group)
    found = [numbering.record(channel.name, gap(0, 0, channel=channel)) for channel in channels]
    for second in EVENTS_S[group]:
        for channel in channels:
            event = trade(time=second, exchange=channel.exchange, symbol=channel.symbol, base_asset=group)
            found.append(numbering.record(channel.name, batch(event, channel=channel)))
        found.append(numbering.record(channels[0].name, alive(second)))
    return found


Step: TypeAlias = tuple[str, list[str], Colour]
"""What happened, more of it in words, and the colour of its box."""


@attrs.frozen
class Story:
    """What happened to a shard."""

    steps: list[Step]
    rows: list[ops.Row]


def kept_in(snapshot: bytes) -> str:
    """Its size, to the next thousand of bytes: the last digits are those of a version of Python."""
    return f"less than {math.ceil(len(snapshot) / 1000)} kB"


def left_alone(group: str) -> Story:
    """A shard takes its records, in two calls."""
    log = records(group)
    shard = cgrx.Shard(pipeline(group), partition_by="base_asset")
    rows = shard.take(log[:SNAPSHOT_AT])
    snapshot = shard.snapshot()
    rows += shard.take(log[SNAPSHOT_AT:])
    first: Step = (
        "its shard takes records",
        [f"{SNAPSHOT_AT} of them; its snapshot", f"has {kept_in(snapshot)}"],
        "event",
    )
    return Story([first, ("it goes on", [f"with the other {len(log) - SNAPSHOT_AT}"], "event")], rows)


def killed(group: str) -> Story:
    """A shard goes on after its snapshot and is killed; another one takes the snapshot, and all records again.

    Raises:
        ValueError: the rows are not those of a shard that nothing happened to.
    """
    log, build = records(group), pipeline(group)
    shard = cgrx.Shard(build, partition_by="base_asset")
    rows = shard.take(log[:SNAPSHOT_AT])
    snapshot = shard.snapshot()
    shard.take(log[SNAPSHOT_AT:KILLED_AT])
    del shard
    rows += cgrx.Shard.restore(build, snapshot, partition_by="base_asset").take(log)
    if rows != left_alone(group).rows:
        raise ValueError("the kill has changed the rows")
    return Story(
        [
            left_alone(group).steps[0],
            ("it is killed", [f"with the {KILLED_AT - SNAPSHOT_AT} records that it", "had taken since"], "gap"),
            (
                "another shard goes on",
                [
                    "from the snapshot. It is given",
                    f"all {len(log)} records, and skips",
                    f"the {SNAPSHOT_AT} that it knows",
                ],
                "event",
            ),
        ],
        rows,
    )


def draw() -> Sheet:
    """The picture."""
    stories = {"BTC": killed("BTC"), "ETH": left_alone("ETH")}
    sheet = Sheet(
        "Four channels in two groups by base asset, a shard for each group; one shard is killed and goes on from its"
        " snapshot, and its rows are those of one that was not",
        "; ".join(
            f"{group}: {', '.join(channel.name for channel in channels_of(group))}; the rows: "
            + ", ".join(map(in_words, story.rows))
            for group, story in stories.items()
        ),
        ROWS + 92,
    )
    sheet.text(8, 20, "channels of one asset are read together", "head")
    for number, (group, story) in enumerate(stories.items()):
        _column(sheet, 8 + number * (COLUMN + 8), group, story)
    return sheet


def _column(sheet: Sheet, left: float, group: str, story: Story) -> None:
    down = 30.0
    for channel in channels_of(group):
        box = sheet.box(Box(left, down, COLUMN, 26), edge="other")
        sheet.text(left + 8, down + 18, f"{channel.exchange} {channel.symbol}", "code", within=box)
        down += 30
    partition = partition_of(group, PARTITIONS)
    belongs: Step = (
        f"group {group}",
        [f"partition {partition} of {PARTITIONS}, by CRC-32"],
        "other",
    )
    for name, words, edge in (belongs, *story.steps):
        sheet.arrow(left + COLUMN / 2, down, left + COLUMN / 2, down + 20)
        down = _step(sheet, Box(left, down + 22, COLUMN, 32 + 17 * len(words)), name, words, edge)
    sheet.arrow(left + COLUMN / 2, down, left + COLUMN / 2, ROWS - 2)
    rows = [f"{_span(row)} n={row['n']} {'complete' if row.complete else 'gap'}" for row in story.rows]
    box = sheet.box(Box(left, ROWS, COLUMN, 32 + 17 * len(rows)), edge="proof")
    sheet.text(left + 8, ROWS + 19, "rows, as without a kill" if len(story.steps) > 2 else "rows", "head", within=box)
    sheet.lines(left + 8, ROWS + 38, rows, "code", box)


def _step(sheet: Sheet, box: Box, name: str, words: list[str], edge: Colour) -> float:
    sheet.box(box, edge=edge)
    sheet.text(box.x + 8, box.y + 19, name, "head", within=box)
    sheet.lines(box.x + 8, box.y + 38, words, "soft", box)
    return box.bottom


def _span(row: ops.Row) -> str:
    return f"{row.start_ms // 1000}-{row.end_ms // 1000} s"
