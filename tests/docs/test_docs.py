"""The documentation: what it takes from code is up to date, and every block of Python in it runs."""

import ast
import inspect
import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from itertools import combinations
from pathlib import Path
from typing import Any, TypeVar
from xml.etree import ElementTree

import pytest
import reactivex
import trio
from reactivex import Observable, abc
from reactivex.disposable import Disposable

import cgrx
from cgrx import EventStream, FuturesTrades, Liquidation, Misspelt, Signal, Status, Trade
from cgrx import operators as ops
from cgrx._streams.observers import SignalObserver
from cgrx.testing import alive, batch, liquidation, trade
from tests.docs import blocks, house, pages, terminal_picture
from tests.docs.marble_cases import CASES
from tests.house import plan
from tests.support import run_mock

T = TypeVar("T")

PAGE = """# A page

```python
from math import inf

big = feed.liquidations()
```

Then:
```python
async with cgrx.stream(big, buffer=inf) as feed:
    pass
```

```python
feed.trades()
```
"""
SERVICES = {
    "cookbook/bars_service.py",
    "cookbook/bars_to_postgres.py",
    "cookbook/behind_proxy.py",
    "cookbook/fastapi_sse.py",
    "cookbook/live_chart.py",
    "cookbook/plain_websockets.py",
}
"""Examples that need a server, or run until they are ended: each has a test of its own."""
OLD = """# A page

<!-- aggregates -->
what was so before
<!-- end -->

<!-- marbles: side -->
<!-- end -->
"""


def given(*signals: Signal[T]) -> EventStream[T]:
    """A stream of these, which then completes."""

    def connect(observer: SignalObserver[T], _: abc.SchedulerBase | None) -> abc.DisposableBase:
        for signal in signals:
            observer.on_signal(signal)
        observer.on_completed()
        return Disposable()

    return EventStream(connect)


class Canned:
    """What the pages call `feed`, with a few events on every stream."""

    @property
    def status(self) -> Observable[Status]:
        misspelt = FuturesTrades("Binnance", "BTCUSDT", 0)
        return reactivex.of(Misspelt(0, misspelt, misspelt.exchange, ("Binance",)))

    def liquidations(self) -> EventStream[Liquidation]:
        large = [liquidation("long", 600_000.0, time=f"{second}s") for second in (1, 2, 90)]
        return given(batch(*large, liquidation("short")), alive("95s"))

    def futures_trades(self, exchange: str, symbol: str, *, min_volume: float) -> EventStream[Trade]:
        return given(batch(*(trade(time=f"{i}s", volume_usd=min_volume, exchange=exchange) for i in range(20))))

    async def run(self) -> None:
        await trio.lowlevel.checkpoint()


@asynccontextmanager
async def connect_canned(api_key: object = None, proxy: object = None) -> AsyncGenerator[Canned, None]:
    await trio.lowlevel.checkpoint()
    yield Canned()


def run_block(source: str, names: dict[str, Any]) -> None:
    """Run a block as it stands; one that awaits at its top runs in trio, as if it stood in a function."""
    code = compile(source, "<page>", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    made = eval(code, names)
    if code.co_flags & inspect.CO_COROUTINE:

        async def main() -> None:
            await made

        run_mock(main)


def test_the_picture_of_the_terminal_is_up_to_date() -> None:
    """Its words: another version of rich draws the same with other tags. A browser fetches nothing for it."""
    committed = terminal_picture.PICTURE.read_text(encoding="utf-8")
    shown = ["".join(ElementTree.fromstring(text).itertext()).split() for text in (committed, terminal_picture.svg())]
    assert shown[0][-200:] == shown[1][-200:], "run `python -m tests.docs.terminal_picture`"
    assert "url(http" not in committed


@pytest.mark.parametrize("page", pages.markdown(), ids=blocks.name_of)
def test_pages_are_up_to_date(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert pages.filled_in(text) == text, "run `python -m tests.docs.pages`"


def test_the_picture_of_the_house_is_up_to_date() -> None:
    """It is drawn from the table of rooms, which is held against the real imports."""
    assert house.PICTURE.read_text(encoding="utf-8") == house.draw().svg(), "run `python -m tests.docs.pages`"


def test_an_arrow_that_a_longer_way_implies_is_left_out() -> None:
    rooms = {"a": (), "b": ("a",), "c": ("a", "b"), "d": ("a",), "e": ("c", "d", "a")}
    assert house.arrows(rooms) == [("b", "a"), ("c", "b"), ("d", "a"), ("e", "c"), ("e", "d")]


def test_no_box_covers_another_and_every_text_fits() -> None:
    sheet = house.draw()
    drawn = ElementTree.fromstring(sheet.svg())
    boxes = [tuple(float(each.attrib[name]) for name in ("x", "y")) for each in drawn.findall(".//{*}rect[@rx]")]
    assert len(boxes) == len(plan.ROOMS)
    for (x, y), (other_x, other_y) in combinations(boxes, 2):
        assert abs(x - other_x) > house.BOX_WIDTH or abs(y - other_y) > house.BOX_HEIGHT
    # A sheet refuses what does not fit; so here is how much each box says, beside its name and the numbers of floors.
    floors = max(plan.floors().values()) + 1
    assert len(boxes) * 2 + floors <= len(sheet.texts) <= len(boxes) * (1 + house.LINES) + floors


@pytest.mark.parametrize("page", pages.markdown(), ids=blocks.name_of)
def test_every_block_of_python_runs(page: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """None raises. They run in order and share their names; `cgrx`, `trio`, `ops` and a `feed` are given."""
    monkeypatch.setattr(cgrx, "connect", connect_canned)
    names: dict[str, Any] = {"__name__": "page", "cgrx": cgrx, "trio": trio, "ops": ops, "feed": Canned()}
    for block in blocks.blocks(page):
        run_block(block.source, names)


def page_of(folder: Path, text: str) -> Path:
    path = folder / "page.md"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_block_is_a_module_at_its_own_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the names that the page takes for granted, and those of the blocks before it."""
    monkeypatch.setattr(plan, "ROOT", tmp_path)
    first, second, third = blocks.modules(blocks.blocks(page_of(tmp_path, PAGE)))
    assert first == ("page_4", "from granted import feed\n\n\nfrom math import inf\n\nbig = feed.liquidations()\n")
    assert second == (
        "page_11",
        "from page_4 import big; import cgrx; from math import inf\nasync def block() -> None:"
        + "\n" * 9
        + "    async with cgrx.stream(big, buffer=inf) as feed:\n        pass\n",
    )
    assert third == ("page_16", "from granted import feed" + "\n" * 15 + "feed.trades()\n")


def test_errors_name_the_line_of_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan, "ROOT", tmp_path)
    page = page_of(tmp_path, PAGE)
    assert (
        blocks.in_pages(f"{tmp_path}/page_11.py:11: error: no", {"page_11": page}, tmp_path) == "page.md:11: error: no"
    )
    said = f"{tmp_path}/page_4.py:8:1 - error\npage_4.py:8: error: no\ncgrx/page_4.py:8: error: elsewhere"
    told = "page.md:8:1 - error\npage.md:8: error: no\ncgrx/page_4.py:8: error: elsewhere"
    assert blocks.in_pages(said, {"page_4": page}, tmp_path) == told


def asked_for(kind: str) -> list[str]:
    return [what for page in pages.markdown() for each, what in pages.asked_for(page.read_text()) if each == kind]


def test_every_case_is_on_a_page() -> None:
    assert sorted(asked_for("marbles")) == sorted(case.name for case in CASES)


@pytest.mark.parametrize("kind", ["file", "output"])
def test_every_example_is_on_a_page(kind: str) -> None:
    """So each is run, and what it prints is looked at. Services are run by tests of their own."""
    services = SERVICES if kind == "output" else set[str]()
    assert set(asked_for(kind)) == set(pages.examples()) - services


@pytest.mark.parametrize("page", pages.markdown(), ids=blocks.name_of)
def test_every_test_that_a_page_names_is_there(page: Path) -> None:
    """A promise, an answer, a concept: each says which test holds it."""
    named = re.findall(r"`(tests/[\w/.]+)(?:::(\w+))?`", page.read_text(encoding="utf-8"))
    assert page.name != "promises.md" or len(named) > 30
    for path, function in named:
        assert (plan.ROOT / path).exists(), path
        assert not function or f"\ndef {function}(" in (plan.ROOT / path).read_text(), function


def test_filling_in_is_done_once() -> None:
    filled = pages.filled_in(OLD)
    assert "what was so before" not in filled
    assert "| `count()` | How many events | events | 0 | none |" in filled
    assert 'ops.side("long")' in filled
    assert pages.filled_in(filled) == filled


@pytest.mark.parametrize("asked", ["marbles: none-such", "nonsense"])
def test_what_a_page_cannot_ask_for(asked: str) -> None:
    page = f"<!-- {asked} -->\n<!-- end -->\n"
    with pytest.raises(KeyError):
        pages.filled_in(page)


def test_a_block_that_does_not_run() -> None:
    with pytest.raises(NameError):
        run_block("print(no_such_name)\n", {})
    with pytest.raises(NameError):
        run_block("await no_such_name\n", {})
