"""The recipes that deliver to a server, each run as a reader does, against a real one."""

import os
import subprocess
import sys
from functools import partial
from typing import Any

import polars as pl
import psycopg
import pytest
import trio

import cgrx
from tests.docs import pages
from tests.docs.test_cookbook import printed, run
from tests.sinks.chats import TOKEN, telegram_answer
from tests.sinks.conftest import postgres as postgres
from tests.sinks.postgres_server import Server
from tests.sinks.receivers import Asked, receiving
from tests.support import run as run_trio

RECIPES = pages.EXAMPLES / "cookbook"


def environment(**variables: str) -> dict[str, str]:
    """Of a process that finds cgrx where these tests have found it."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), **variables}


@pytest.mark.thorough  # an interpreter takes seconds
def test_alerts_reach_a_web_service_and_a_chat() -> None:
    """Both get the alerts that are printed: as JSON, and as lines of one message."""

    async def main() -> tuple[list[Asked], list[str]]:
        async with receiving(usual=telegram_answer) as (receiver, url):
            variables = environment(
                ALERT_URL=f"{url}/alerts", TELEGRAM_TOKEN=TOKEN, TELEGRAM_CHAT="42", TELEGRAM_URL=f"{url}/telegram"
            )
            command = [sys.executable, str(RECIPES / "alert.py")]
            ended = await trio.run_process(command, env=variables, capture_stdout=True)
            return receiver.asked, ended.stdout.decode().splitlines()

    asked, lines = run_trio(main)
    assert lines == printed("alert.py")
    posted = [each.json for each in asked if each.target == "/alerts"]
    told = [each.json for each in asked if each.target == f"/telegram/bot{TOKEN}/sendMessage"]
    assert [alert["item"]["item"]["volume"] for batch in posted for alert in batch] == [5_200_000.0, 5_200_000.0]
    assert {message["chat_id"] for message in told} == {"42"}
    assert "\n".join(message["text"].replace("\u2060", "") for message in told).splitlines() == lines


def test_the_alerts_are_those_of_a_count() -> None:
    """The first event with which BTC has 5 million in its minute, and the first such ten minutes later."""
    (first, second) = printed("alert.py")
    assert first.startswith("BTC: longs liquidated 5,200,000 USD in 1 m from 2026-03-02 14:01 UTC")
    assert second.startswith("BTC: longs liquidated 5,200,000 USD in 1 m from 2026-03-02 14:11 UTC")
    sums = [400_000.0 * n for n in range(1, 16)]
    assert next(each for each in sums if each >= 5_000_000) == 5_200_000
    assert second.endswith("9 more since the last message")


def bars_of(trades: list[cgrx.Trade]) -> list[tuple[Any, ...]]:
    """By polars: the minute, open, high, low, close and volume."""
    price, usd = pl.col("price"), pl.col("volume_usd")
    minutes = cgrx.to_frame(trades).sort("time_ms").group_by(pl.col("time_ms") // 60_000 % 60, maintain_order=True)
    return minutes.agg(open=price.first(), high=price.max(), low=price.min(), close=price.last(), usd=usd.sum()).rows()


def bar_lines(trades: list[cgrx.Trade]) -> list[str]:
    """What a recipe prints of them, without the last column."""
    return [" ".join([f"14:{minute:02}", *(f"{number:>9,.0f}" for number in of)]) for minute, *of in bars_of(trades)]


STATES = ["closed, with a gap", "complete", "complete", "complete", "complete"]


def test_bars_in_files() -> None:
    """Both hold the bars that polars makes of the trades."""
    trades = run("bars_to_files.py")["market"]()
    states = [*STATES, "open"]
    *bars, summary = printed("bars_to_files.py")
    assert bars == [f"{line} {state}" for line, state in zip(bar_lines(trades), states, strict=True)]
    complete = bars_of(trades)[1:5]
    high, usd = max(bar[2] for bar in complete), sum(bar[5] for bar in complete)
    assert summary == f"in Parquet: 4 complete bars, up to {high:,.0f}, {usd:,.0f} USD"


@pytest.mark.thorough  # the recipe runs twice, against a server
def test_bars_in_postgres(postgres: Server) -> None:
    """The same in a table, and the page shows what the recipe prints. A second run changes nothing."""
    command = [sys.executable, str(RECIPES / "bars_to_postgres.py")]
    recipe = partial(subprocess.run, command, env=environment(BARS_DSN=postgres.dsn()), check=True, capture_output=True)
    trades = run("bars_to_postgres.py")["market"]()
    expected = [f"{line} {state}" for line, state in zip(bar_lines(trades)[:5], STATES, strict=True)]
    try:
        assert recipe(text=True).stdout.splitlines() == expected
        assert recipe(text=True).stdout.splitlines() == expected
        assert postgres.query("select count(*), sum(final::int) from bars") == [(6, 5)]
    finally:
        with psycopg.connect(postgres.dsn(), autocommit=True) as connection:
            connection.execute("drop table if exists bars")
    assert "\n".join(expected) in (pages.DOCS / "cookbook" / "bars.md").read_text(encoding="utf-8")
