"""The controls of a replay, and what the page costs while it plays."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

import cgrx
from tests.page.browsing import Running, frames_of, visit
from tests.page.conftest import TRADES

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.thorough  # what is played takes its time


@pytest.fixture
def playing(folder: str) -> Iterator[Running[cgrx.Board]]:
    """A board that plays ten times as fast."""
    with Running(
        lambda: cgrx.board(folder, trades=TRADES, speed=10, large_trade=0, window="1s", keep="10m")
    ) as running:
        yield running


def test_play_pause_speed_and_slider(browser: "Browser", playing: Running[cgrx.Board]) -> None:
    with visit(browser, playing.value.url) as visited:
        page = visited.open()
        now = "Number(document.querySelector('#time').value)"
        begun = page.evaluate(now)
        visited.until(f"{now} > {begun}")
        page.evaluate("document.activeElement.blur()")
        page.keyboard.press("Space")
        visited.until("document.querySelector('#play').textContent === 'Play'")
        paused = page.evaluate(now)
        page.wait_for_timeout(400)
        assert page.evaluate(now) == paused
        page.keyboard.press("Space")
        visited.until("document.querySelector('#play').textContent === 'Pause'")
        page.select_option("#speed", "60")
        visited.until("document.querySelector('#speed').value === '60'")
        page.click("#play")
        visited.until("document.querySelector('#play').textContent === 'Play'")
        page.focus("#time")
        page.keyboard.press("End")
        page.keyboard.press("PageDown")
        wanted = page.evaluate(now)
        visited.until(f"Math.abs({now} - {wanted}) < 2000")
        assert page.get_attribute("#time", "aria-valuetext")
        # All that was before that time is there: its windows are in the table.
        page.click("#chart-flow summary")
        visited.until("document.querySelectorAll('#chart-flow tbody tr').length >= 50")


def test_the_first_picture_and_the_frames_take_little(browser: "Browser", playing: Running[cgrx.Board]) -> None:
    """At 60 frames a second one has 16.7 ms; of these the script takes less than 10, and most often far less."""
    with visit(browser, playing.value.url) as visited:
        page = visited.open()
        assert page.evaluate("performance.now()") < 4_000  # on a machine that does much else
        page.select_option("#asset", "BTC")
        visited.until("document.title.startsWith('BTC')")
        frames = frames_of(page, 1_500)
        assert 4 <= len(frames) <= 45  # some for each of four updates a second, and not every one of 90
        assert max(frame.cpu_ms for frame in frames) < 10


TURNS = """async () => {
    const { Turns } = await import("/turns.js");
    const frame = () => new Promise(requestAnimationFrame);
    const log = [];
    let rests = false;
    const turns = new Turns(() => rests);
    const views = Object.fromEntries(["slow", "other", "third", "quick"].map((name) => [name, () => {
        const until = performance.now() + (name === "quick" ? 0 : 5);
        while (performance.now() < until);
        log.push(name);
    }]));
    const frames = [];
    const watch = async (count) => {
        frames.length = 0;
        for (let index = 0; index < count; index++) {
            log.length = 0;
            await frame();
            await 0;
            frames.push(log.join(" "));
        }
        return [...frames];
    };
    const all = {};
    turns.ask([views.slow, views.other, views.third]);
    turns.ask([views.slow, views.quick]);  // the first waits already
    all.turns = await watch(5);
    turns.ask([views.slow, views.other]);
    frames.length = log.length = 0;
    await frame();
    turns.ask([views.slow]);  // drawn in this frame: behind those that wait
    all.again = [log.join(" "), ...await watch(3)];
    rests = true;
    turns.ask([views.quick]);
    all.rests = await watch(2);
    rests = false;
    turns.ask();
    all.goes = await watch(2);
    return all;
}"""


def test_views_are_drawn_in_turn_within_a_budget(browser: "Browser", playing: Running[cgrx.Board]) -> None:
    """What waits keeps its place; what is asked for again after it was drawn waits behind the others."""
    with visit(browser, playing.value.url) as visited:
        drawn = visited.open().evaluate(TURNS)
    assert drawn == {
        "turns": ["slow", "other", "third", "quick", ""],
        "again": ["slow", "other", "slow", ""],
        "rests": ["", ""],
        "goes": ["quick", ""],
    }
