"""What a notebook shows of a feed, a recording and a backtest, and of lists of rows in IPython."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import cgrx
import cgrx.sync
from cgrx import Batch, Gap
from cgrx import operators as ops
from cgrx._notebook.table import _show_lists
from cgrx._recording.entry import Recorded
from cgrx._recording.writer import write_recording
from cgrx.testing import Simulator, liquidation, trade
from tests.notebook.cells import ipython
from tests.notebook.test_html import Read, bar, text
from tests.support import run_mock

TRADES = cgrx.FuturesTrades("Binance", "BTCUSDT", 0)


def test_a_feed_shows_its_state_and_the_counters_of_its_channels() -> None:
    async def main() -> None:
        async with (
            Simulator(listen=False) as simulator,
            cgrx.connect(url=simulator.url, dial=simulator.dial, api_key="any-key-will-do") as feed,
        ):
            async with cgrx.stream(feed.liquidations()) as events:
                await simulator.wait_subscribed("liquidationOrders")
                await simulator.send([liquidation(time="5s"), liquidation(time="6s")])
                await anext(events)
                said = text(feed)
            assert said.startswith("Feed: connected | at_ms")
            assert "liquidationOrders | 1 | " in said
            assert " | 2 | 0 | 0 | 0 | 1970-01-01 00:00:06 | " in said
            await feed.aclose()
        assert text(feed).startswith("Feed: closed")

    run_mock(main)


def recorded(folder: Path, seconds: int) -> cgrx.Recording:
    begin = Recorded(TRADES, Gap(TRADES, 0, 1000, "subscribed"))
    batches = [Batch(TRADES, 1000 * i, (trade(time=i, price=60_000.0 + i),)) for i in range(1, seconds)]
    write_recording(folder, [begin, *(Recorded(TRADES, batch) for batch in batches)])
    return cgrx.Recording(folder)


def bars(feed: cgrx.Feed) -> cgrx.EventStream[ops.Bar]:
    return feed.futures_trades("Binance", "BTCUSDT", min_volume=0).pipe(
        ops.tumbling("1s", ops.Bar, by=("exchange", "symbol"))
    )


def opaque(feed: cgrx.Feed) -> cgrx.EventStream[ops.Bar]:
    return bars(feed).where(lambda row: row.count > 0)


def prices(feed: cgrx.Feed) -> cgrx.EventStream[float]:
    return feed.futures_trades("Binance", "BTCUSDT", min_volume=0).map(lambda event: event.price)


def test_a_feed_in_a_thread_of_its_own(tmp_path: Path) -> None:
    recorded(tmp_path, 30)
    with cgrx.sync.replay(tmp_path) as feed:
        assert text(feed).startswith("Feed: connecting")


def test_a_recording(tmp_path: Path) -> None:
    said = text(recorded(tmp_path, 30))
    assert said.startswith(f"Recording |  {tmp_path} | events | 29 | first received | 1970-01-01 00:00:01 UTC")
    assert said.endswith("parts | 1 | channels | futures_trades@Binance_BTCUSDT@0")


def test_a_recording_of_many_channels_and_a_damaged_one(tmp_path: Path) -> None:
    channels = [cgrx.FuturesTrades("Binance", f"X{index}USDT", 0) for index in range(13)]
    write_recording(tmp_path, [Recorded(channel, Batch(channel, 1, (trade(),))) for channel in channels])
    assert text(cgrx.Recording(tmp_path)).endswith("further channels | 3")
    (part,) = tmp_path.glob("*.parquet")
    part.write_bytes(part.read_bytes()[:-40])
    damaged = cgrx.Recording(tmp_path, salvage=True)
    list(damaged.entries())
    assert "DAMAGED | 1 problems, the first: " in text(damaged)


def test_a_backtest_shows_how_it_ran_and_the_first_and_last_rows(tmp_path: Path) -> None:
    """The rows are the same whether it ran in columns or event by event; of columns few become objects."""
    recording = recorded(tmp_path, 100)
    in_columns = cgrx.backtest(bars, recording)
    assert in_columns.explain().reason is None
    said = text(in_columns)
    assert said.startswith("ran in | part | columns | futures_trades@Binance_BTCUSDT@0 | columns | tumbling(")
    on_rows = text(cgrx.backtest(opaque, recording))
    by_events = cgrx.backtest(lambda feed: bars(feed).pipe(ops.tap(print)), recording)
    for other in (on_rows, text(by_events), text(cgrx.table(in_columns.rows))):
        assert other.endswith(said[said.index("from (UTC)") :])
    assert "event by event, because | " in text(by_events)
    few = cgrx.backtest(bars, recording, end=5000)
    assert text(few).endswith(text(cgrx.table(few.rows)))
    assert text(cgrx.backtest(prices, recording)).endswith("60,098.00 | 60,099.00")


@pytest.fixture
def shell() -> Iterator[Any]:
    with ipython() as made:
        yield made


def in_ipython(shell: Any, value: Any) -> str | None:
    found, _ = shell.display_formatter.format(value, include={"text/html"})
    shown: str | None = found.get("text/html")
    return shown


def test_lists_of_rows_are_tables_in_ipython(shell: Any) -> None:
    """Others are shown as without cgrx."""
    rows = [bar(second) for second in range(50)]
    assert in_ipython(shell, rows) is None
    _show_lists()
    for value in (rows, tuple(rows), [trade(), liquidation()]):
        html = in_ipython(shell, value)
        assert html is not None
        assert "table" in Read(html).tags
    assert in_ipython(shell, rows[0]) == rows[0]._repr_html_()
    others: list[object] = [list[int](), [1, 2], [rows[0], 1], (None,), "rows", dict[str, int]()]
    assert [in_ipython(shell, other) for other in others] == [None] * 6


def test_whoever_has_told_ipython_how_lists_are_shown_is_left_alone(shell: Any) -> None:
    def mine(items: object) -> str:
        return "mine"

    shell.display_formatter.formatters["text/html"].for_type(list, mine)
    _show_lists()
    assert in_ipython(shell, [bar(1)]) == "mine"


def test_without_ipython_nothing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    _show_lists()
    monkeypatch.delitem(__import__("sys").modules, "IPython")
    _show_lists()
