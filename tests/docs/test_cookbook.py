"""The numbers that the recipes of the cookbook print, each computed a second time in another way."""

import re
import runpy
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import trio

import cgrx
from cgrx.testing import alive, batch, play
from tests.docs import pages


def run(name: str) -> dict[str, Any]:
    """The names of a recipe that has run."""
    return runpy.run_path(str(pages.EXAMPLES / "cookbook" / name))


def printed(name: str) -> list[str]:
    """The lines that a recipe prints."""
    return pages.output(f"cookbook/{name}").splitlines()


NEEDS = {
    r"cgrx\.(import_\w+|record|replay|Recording|resume)\b|sinks\.parquet": "recording",
    r"cgrx\.(backtest|sweep|to_frame)\b|import polars": "frames",
    r"sinks\.duckdb": "duckdb",
    r"sinks\.postgres": "postgres",
    r"sinks\.(webhook|telegram|slack|discord)": "webhook",
    r"metrics\.serve": "metrics",
    r"proxy=": "proxy",
}
"""What a script says, and the extra that it needs for that."""


@pytest.mark.parametrize("page", sorted((pages.DOCS / "cookbook").glob("*.md")), ids=lambda page: page.stem)
def test_a_recipe_says_which_extras_its_scripts_need(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    scripts = [
        (pages.EXAMPLES / name).read_text(encoding="utf-8") for name in re.findall(r"<!-- file: ([\w/]+\.py) -->", text)
    ]
    needed = {extra for says, extra in NEEDS.items() if any(re.search(says, script) for script in scripts)}
    told = {extra for names in re.findall(r"pip\s+install\s+\"\.\[([\w,]+)\]\"", text) for extra in names.split(",")}
    assert needed <= told


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


def test_vwap() -> None:
    """By polars, of the trades of each minute."""
    frame = cgrx.to_frame(run("vwap.py")["market"]()).with_columns(minute=pl.col("time_ms") // 60_000)
    vwap = pl.col("volume_usd").sum() / (pl.col("volume_usd") / pl.col("price")).sum()
    of_all = frame.group_by("minute").agg(vwap=vwap, usd=pl.col("volume_usd").sum()).sort("minute")
    of_each = frame.group_by("minute", "exchange").agg(vwap=vwap, usd=pl.col("volume_usd").sum()).sort("exchange")
    lines = printed("vwap.py")
    assert len(lines) == of_all.height == 4
    for line, row in zip(lines, of_all.iter_rows(named=True), strict=True):
        here = of_each.filter(pl.col("minute") == row["minute"]).to_dicts()
        prices = [each["vwap"] for each in here]
        apart_bp = 10_000 * (max(prices) - min(prices)) / row["vwap"]
        shares = " ".join(f"{each['exchange']} {each['usd'] / row['usd']:.0%}" for each in here)
        expected = f"00:0{row['minute']}  {row['vwap']:,.2f}  {apart_bp:.1f} bp apart  {shares}"
        assert line.removesuffix("  not complete") == expected
    assert [line.endswith("not complete") for line in lines] == [True, False, False, True]


def test_top_of_hour() -> None:
    """By polars, of the liquidations that were seen."""
    frame = cgrx.to_frame(run("top_of_hour.py")["events"]).filter(~pl.col("time_ms").is_between(6_000_000, 6_059_999))
    sums = frame.group_by(pl.col("time_ms") // 3_600_000, "base_asset").agg(
        usd=pl.col("volume_usd").sum(), longs=pl.col("volume_usd").filter(pl.col("side") == "long").sum()
    )
    expected: list[str] = []
    for hour, missing in ((0, ""), (1, "  64 s not seen")):
        expected.append(f"{hour:02}:00")
        leaders = sums.filter(pl.col("time_ms") == hour).sort("usd", descending=True).head(3)
        for place, row in enumerate(leaders.iter_rows(named=True), 1):
            share = row["longs"] / row["usd"]
            expected.append(f"  {place}. {row['base_asset']:4} {row['usd']:>12,.0f} USD, longs {share:.0%}{missing}")
    assert printed("top_of_hour.py") == expected


def test_daily_bars() -> None:
    """The days by polars, which knows the zone too: seven hours later it is midnight where the bar ends."""
    names = run("daily_bars.py")
    wall = pl.from_epoch("time_ms", "ms").dt.replace_time_zone("UTC").dt.convert_time_zone("America/New_York")
    day = (wall.dt.replace_time_zone(None) + pl.duration(hours=7)).dt.date()
    frame = cgrx.to_frame(names["trades"]).sort("time_ms").group_by(day.alias("day"), maintain_order=True)
    price = pl.col("price")
    found = frame.agg(
        open=price.first(), high=price.max(), low=price.min(), close=price.last(), volume=pl.col("volume_usd").sum()
    )
    bars = [(bar.open, bar.high, bar.low, bar.close, bar.volume) for bar in names["bars"]]
    assert bars == found.drop("day").rows()
    assert [line[26:30] for line in printed("daily_bars.py")] == ["24 h", "24 h", "23 h", "24 h"]


def test_custom_aggregate() -> None:
    """By polars; and the same whatever the order of the trades of a minute, and however they are batched."""
    names = run("custom_aggregate.py")
    usd = pl.col("volume_usd")
    minutes = cgrx.to_frame(names["trades"]).group_by(pl.col("time_ms") // 60_000, maintain_order=True)
    found = minutes.agg(usd=usd.sum(), share=usd.filter(usd >= 50_000).sum() / usd.sum()).rows()
    expected = [f"{minute} min  {sum_:>12,.2f} USD  {share:.1%} of it in large trades" for minute, sum_, share in found]
    assert printed("custom_aggregate.py") == expected
    turned = [
        batch(*reversed(trades), received=trades[-1].time_ms / 1000)
        for trades in (names["trades"][300 * minute : 300 * (minute + 1)] for minute in range(3))
    ]
    assert play(names["minutes"], [alive(0), *turned, alive("185s")]) == names["rows"]


def test_cascade_flow() -> None:
    """By loops: runs of liquidations, and the trades of the ten seconds up to the last second of each."""
    market = run("cascade_flow.py")["market"]()
    expected: list[str] = []
    for first, asset in ((20, "BTC"), (60, "BTC"), (95, "ETH")):
        forced = [each for each in market["liquidations"] if first <= each.time_ms / 1000 < first + 10]
        assert {each.base_asset for each in forced} == {asset}
        end_ms = forced[-1].time_ms + 1
        bought_usd = sum(
            each.volume_usd if each.side is cgrx.TradeSide.BUY else -each.volume_usd
            for each in market["trades"]
            if end_ms // 1000 * 1000 - 10_000 <= each.time_ms < end_ms // 1000 * 1000
        )
        volume = sum(each.volume_usd for each in forced)
        flow = f"delta {bought_usd:+,.0f} USD (known)" if asset == "BTC" else "no flow (none)"
        ended = f"00:{end_ms // 60_000:02}:{end_ms // 1000 % 60:02}"
        expected.append(f"{ended} {asset} {volume:,.0f} USD in {len(forced)} liquidations; {flow}")
    assert printed("cascade_flow.py") == expected


def test_own_stage() -> None:
    """The running maximum, over both parts of the day."""
    expected: list[str] = []
    high = 0
    for part, prices, unsure in (
        ("morning", [60_000, 60_200, 60_100, 60_300], ""),
        ("afternoon", [60_100, 60_250, 60_400], ", if none was missed"),
    ):
        expected.append(part)
        for price in prices:
            if price > high:
                high = price
                expected.append(f"  {price:,}{unsure}")
    assert printed("own_stage.py") == expected


def flows() -> pl.DataFrame:
    """What own_sink.py replays, by polars: minute, asset, volume and delta. A liquidated long is a forced sell."""
    signed = pl.when(pl.col("n") % 5 == 0).then(pl.col("usd")).otherwise(-pl.col("usd"))
    asset = pl.when(pl.col("n") % 3 == 0).then(pl.lit("ETH")).otherwise(pl.lit("BTC"))
    n = pl.col("n")
    frame = pl.DataFrame({"n": range(190)}).with_columns(usd=(n % 7 + 1) * 1_000)
    sums = frame.group_by((n // 60).alias("minute"), asset.alias("asset")).agg(pl.col("usd").sum(), delta=signed.sum())
    return sums.filter(pl.col("minute") < 3).sort("minute", "asset")


def test_own_sink() -> None:
    """By polars, of the formulas that make the liquidations."""
    expected = [
        f"00:0{minute}:00  {asset}  {usd:>9,.0f} USD  delta {delta:>+9,.0f}  {0 if minute else 2000} ms not seen"
        for minute, asset, usd, delta in flows().rows()
    ]
    assert printed("own_sink.py") == ["6 delivered, 0 lost", *expected]


def test_own_sink_gives_up_the_refused_row_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The table refuses one row of six: the others are in it."""
    names = run("own_sink.py")
    with closing(sqlite3.connect(tmp_path / "flow.db")) as database, database:
        refusing = names["TABLE"].replace("volume real", "volume real check (volume <> 161000)")
        database.execute(refusing)
    trio.run(names["main"], tmp_path)
    first, *rows = capsys.readouterr().out.splitlines()
    assert (first, len(rows)) == ("5 delivered, 1 lost", 5)
    assert not any("161,000" in row for row in rows)
