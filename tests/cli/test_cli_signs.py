"""What the live table is made of: heat, sparklines, orders that hold, cascades, gaps; each against what it promises."""

import random
from typing import Any

import pytest
from rich.text import Text

from cgrx import Alive, Batch, Gap, Liquidation, LiquidationOrders, LiquidationSide, Trade
from cgrx import operators as ops
from cgrx._cli.view.aside import Aside
from cgrx._cli.view.bursts import Bursts, cascades, told
from cgrx._cli.view.controls import Controls
from cgrx._cli.view.delta import STEPS, Delta
from cgrx._cli.view.heat import Heat, bar
from cgrx._cli.view.help_page import help_page
from cgrx._cli.view.market import Market, Watched
from cgrx._cli.view.ranking import Ranking
from cgrx._cli.view.recent_gap import RecentGap
from tests.cli.test_cli_table import liquidation, trade

CHANNEL = LiquidationOrders()


# --- heat -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scale", [1.0, 1e3, 1e6])
def test_heat_is_relative_to_what_was_seen(scale: float) -> None:
    """The same market in other dollars has the same levels: the smaller half none, a hundredth the highest."""
    chance = random.Random(1)
    volumes = [scale * chance.lognormvariate(8, 2) for _ in range(5_000)]
    heat = Heat()
    for volume in volumes:
        heat.add(volume)
    ranked = sorted(volumes)
    levels = [heat.level(volume) for volume in ranked]
    assert levels == sorted(levels)
    for level, share in enumerate((0.5, 0.8, 0.99), 1):  # a class of volumes is a ninth wide
        assert sum(each < level for each in levels) / len(levels) == pytest.approx(share, abs=0.03)


def test_heat_of_the_first_and_of_odd_volumes() -> None:
    heat = Heat()
    assert (heat.level(5.0), heat.style(5.0)) == (0, "dim")
    for volume in (0.0, 0.5, 1e30):
        heat.add(volume)
    assert heat.level(0.0) == 0
    assert heat.level(1e30) == 1


def test_a_bar_is_as_long_as_the_volume_is_large() -> None:
    heat = Heat()
    heat.add(1_000_000.0)
    shares = [heat.share(volume, 100.0) for volume in (1.0, 100.0, 10_000.0, 1_000_000.0, 2_000_000.0)]
    assert shares == pytest.approx([0.0, 0.0, 0.5, 1.0, 1.0])
    assert [bar(share, 4).plain for share in (0.0, 0.5, 0.53125, 1.0)] == ["▏", "██", "██▏", "████"]


# --- the sparkline --------------------------------------------------------------------------------------------------


def test_a_sparkline_tells_buying_from_selling_without_colour() -> None:
    delta = Delta()
    for second, dollars in enumerate((8.0, -8.0, 4.0, -4.0, 0.0)):
        delta.add(1_000 * second, dollars)
    line = delta.line(10)
    assert line.plain == "█ ▄▄·"
    reverse = ["reverse" in str(span.style) for span in line.spans]
    assert reverse == [False, True, False, True, False]
    assert delta.line(2).plain == " ·"  # beside nothing, the four dollars are the most
    assert delta.seconds(10) == 5
    assert delta.seconds(3) == 3


def test_an_empty_sparkline() -> None:
    assert Delta().line(5).plain == ""
    assert Delta().seconds(5) == 0


@pytest.mark.parametrize("begin_ms", [1_700_000_000_000, 1_700_000_001_000])
def test_steps_double_and_nothing_is_lost_until_there_is_an_hour(begin_ms: int) -> None:
    """The sum stays that of all; and the number of steps bounded."""
    delta, chance, total = Delta(), random.Random(2), 0.0
    for second in range(3_600):
        dollars = float(chance.randint(-100, 100))
        total += dollars
        delta.add(1_000 * second + begin_ms, dollars)
        if second % 600 == 0:
            assert sum(delta._sums) == total
            assert len(delta._sums) <= STEPS
    assert sum(delta._sums) == total
    assert 1_800 < delta.seconds(STEPS) <= 3_840
    for second in range(3_600, 40_000, 7):
        delta.add(1_000 * second + begin_ms, 1.0)
    assert len(delta._sums) == STEPS
    assert delta.seconds(STEPS) == 3_840


def test_a_time_that_goes_back_or_leaps() -> None:
    delta = Delta()
    delta.add(1_000_000, 5.0)
    delta.add(5_000, 1.0)
    assert delta.line(9).plain == "█"
    delta.add(10**15, 1.0)
    assert len(delta._sums) <= STEPS


# --- orders that hold -----------------------------------------------------------------------------------------------


def test_an_order_holds_for_two_seconds() -> None:
    ranking: Ranking[str] = Ranking()
    assert ranking.of({"a": 1, "b": 2, "c": 3}, 0.0) == ["a", "b", "c"]
    assert ranking.of({"a": 9, "b": 2, "c": 1}, 1.9) == ["a", "b", "c"]
    assert ranking.of({"a": 9, "b": 2, "e": 0, "d": -1}, 1.9) == ["a", "b", "d", "e"]
    assert ranking.of({"a": 9, "b": 2, "e": 0, "d": -1}, 2.0) == ["d", "e", "b", "a"]
    ranking.forget()
    assert ranking.of({"a": 1, "b": 2}, 2.1) == ["a", "b"]


# --- cascades -------------------------------------------------------------------------------------------------------


def found(events: list[Any], *, alive_ms: int = 0) -> tuple[Bursts, list[ops.Cascade]]:
    bursts = Bursts()
    rows: list[ops.Cascade] = []

    def add(row: ops.Cascade) -> None:
        rows.append(row)
        bursts.add(row, row.end_ms / 1e3)

    aside = Aside(cascades(), add, Liquidation)
    aside.mark(Gap(CHANNEL, 0, 0, "subscribed"))
    for event in events:
        aside.see(Batch(CHANNEL, event.time_ms, (event,)))
    aside.mark(Alive("feed", alive_ms))
    return bursts, rows


def forced(at_ms: int, volume: float = 100_000.0, asset: str = "BTC", side: str = "LONG") -> Liquidation:
    return Liquidation(asset, "OKX", f"{asset}-USDT-SWAP", LiquidationSide[side], 1.0, volume, at_ms)


def test_a_cascade_is_told_while_it_runs_and_shortly_after() -> None:
    bursts, rows = found([forced(1_000 * step) for step in range(1, 9)])
    assert [row.count for row in rows] == [5, 6, 7, 8]
    line = bursts.banner(8.5, 120)
    assert line is not None
    assert "▼▼▼ ▌CASCADE▐ 800k USD of longs in 8 liquidations over 7.0 s: BTC 800k" in line.plain
    over = bursts.banner(12.0, 120)
    assert over is not None
    assert "cascade over" in over.plain
    assert over.plain.endswith("4 s ago")
    assert bursts.banner(30.0, 120) is None


@pytest.mark.parametrize(
    "events",
    [
        [forced(1_000 * step) for step in range(4)],
        [forced(1_000 * step, 20_000.0) for step in range(9)],
        [forced(1_600 * step) for step in range(9)],
        [forced(1_000 * step, asset=f"A{step % 4}") for step in range(16)],
        [forced(1_000 * step, 9_999.0) for step in range(40)],
    ],
    ids=["few", "small", "slow", "scattered", "tiny"],
)
def test_what_is_no_cascade(events: list[Any]) -> None:
    bursts, rows = found(events)
    assert rows == []
    assert bursts.banner(0.0, 100) is None


def test_cascades_of_several_assets_are_told_as_one_by_the_greater_side() -> None:
    events = [forced(100 * step, asset=f"A{step % 5}") for step in range(40)]
    events += [forced(4_000 + 100 * step, 60_000.0, side="SHORT") for step in range(8)]
    bursts, _ = found(events)
    line = bursts.banner(4.5, 150)
    assert line is not None
    assert "4.0M USD of longs in 40 liquidations over 3.9 s: A0 800k, A1 800k, A2 800k and 2 more" in line.plain
    assert len(line.plain) == 150
    assert bursts.largest is not None
    assert told([bursts.largest]).startswith("800k USD of longs")


def test_wide_names_stay_within_the_screen() -> None:
    bursts, _ = found([forced(100 * step, asset="漢字" * 9) for step in range(9)])
    for now_s in (0.9, 6.0):
        line = bursts.banner(now_s, 70)
        assert line is not None
        assert line.cell_len == 70


def test_a_final_row_prolongs_nothing_and_a_withdrawn_one_takes_back() -> None:
    bursts, rows = found([forced(1_000 * step) for step in range(1, 9)])
    last = rows[-1]
    values = {name: last[name] for name in type(last).fields if name != "complete"} | {"final": True}
    bursts.add(type(last)(**values), 20.0)
    assert bursts.banner(20.0, 100) is None
    assert bursts.rows()
    bursts.add(type(last)(**(values | {"final": False, "withdrawn": True})), 20.0)
    assert bursts.banner(8.5, 100) is None


def test_cascades_are_bounded() -> None:
    bursts, rows = found([forced(1_000 * step) for step in range(1, 9)])
    values = {name: rows[-1][name] for name in type(rows[-1]).fields if name != "complete"}
    for number in range(1_000):
        bursts.add(type(rows[-1])(**(values | {"base_asset": f"A{number}"})), 1.0)
    assert len(bursts.rows()) <= 51


def test_a_stage_that_fails_is_silent() -> None:
    """And is given nothing any more."""

    def fail(_: object) -> bool:
        raise ValueError

    heard: list[object] = []
    aside = Aside(ops.where(fail), heard.append, Trade)
    aside.see(Batch(None, 0, (trade(1),)))
    aside.see(Batch(None, 0, (trade(1),)))
    aside.mark(Alive("feed", 1))
    aside.end()
    assert heard == []


def test_the_end_brings_out_what_is_open() -> None:
    heard: list[Any] = []
    aside = Aside(ops.tumbling("1h"), heard.append, Trade, Liquidation)
    aside.see(Batch(None, 0, ()))
    aside.see(Batch(None, 0, (trade(1), trade(2))))
    aside.see(Batch(None, 0, (liquidation(3),)))
    aside.end()
    assert [row.count for row in heard] == [3]


# --- gaps -----------------------------------------------------------------------------------------------------------


def test_the_gap_of_a_lost_connection_is_one_for_all_channels() -> None:
    market = Market()
    watched = Watched(market, lambda: 5.0)
    watched.mark(Gap(CHANNEL, 0, 1_000, "subscribed"))
    watched.mark(Gap(None, 1_000, 4_000, "merged"))
    watched.mark(Alive("feed", 4_000))
    assert market.gaps.banner(5.0, 100) is None
    watched.mark(Gap(CHANNEL, 1_000, 3_500, "lost"))
    watched.mark(Gap(CHANNEL, 1_000, 4_000, "lost"))
    line = market.gaps.banner(6.0, 100)
    assert line is not None
    assert "3.0 s without a connection, 00:00:01 to 00:00:04: events of 2 channels may be missing" in line.plain
    assert market.gaps.banner(16.0, 100) is None


def test_the_next_gap_takes_the_place_of_the_one_before() -> None:
    gaps = RecentGap()
    gaps.add(Gap(CHANNEL, 1_000, 2_000, "lost"), 1.0)
    gaps.add(Gap(CHANNEL, 9_000, 9_500, "lost"), 2.0)
    line = gaps.banner(2.0, 100)
    assert line is not None
    assert "0.5 s without" in line.plain
    assert "1 channel may" in line.plain


def test_what_passes_is_seen_by_the_market_and_by_the_cascades() -> None:
    market = Market()
    watched = Watched(market, lambda: 7.0)
    for step in range(6):
        watched.see(Batch(CHANNEL, 1_000 * step, (forced(1_000 * step),)))
    watched.see(Batch(None, 0, (trade(1),)))
    assert market.kinds["liquidation"].sides.events == 6
    assert market.kinds["trade"].sides.events == 1
    assert market.bursts.banner(7.0, 80) is not None


# --- keys -----------------------------------------------------------------------------------------------------------


def pressed(*keys: str) -> Controls:
    controls = Controls(("newest", "largest"), keys=True)
    for key in keys:
        controls.press(key)
    return controls


def test_what_each_key_does() -> None:
    assert pressed().sort == "newest"
    assert pressed("s").sort == "largest"
    assert pressed("s", "S").sort == "newest"
    assert pressed("q").ends
    assert pressed(" ").paused
    assert not pressed(" ", " ").paused
    assert pressed("?").helps
    assert not pressed("?", "?").helps
    assert not pressed("?", "escape").helps
    assert not pressed("x", "enter", "backspace").ends


def test_what_is_typed_is_looked_for_at_once() -> None:
    typed = ("/", *"btq s", "backspace", "backspace", "backspace", "c")
    controls = pressed(*typed)
    assert (controls.typing, controls.words, controls.ends, controls.paused) == (True, "btc", False, False)
    controls = pressed(*typed, "enter")
    assert (controls.typing, controls.words) == (False, "btc")
    assert pressed(*typed, "enter", "escape").words == ""
    assert pressed("/", *"btc", "escape").words == ""
    assert not pressed("/", "escape").typing
    assert len(pressed("/", *("x" * 500)).words) == 60


def test_help_fits() -> None:
    table, rows = help_page(("a", "b"), 3)
    assert (rows, table.row_count) == (3, 3)
    table, rows = help_page(("a", "b"), 99)
    assert rows == table.row_count > 10
    assert "another order: a, b" in [str(cell) for cell in table.columns[1].cells]
    assert isinstance(next(iter(table.columns[0].cells)), Text)
