"""What files cost that others wrote: those to import, and recordings."""

import json
import tempfile
from collections.abc import Callable
from pathlib import Path

import cgrx
from tests.costs.counting import Input, work

START = 1_700_000_000_000


def _row(number: int) -> dict[str, object]:
    return {
        "baseAsset": "BTC", "exName": "Binance", "symbol": "BTCUSDT", "side": 1, "price": 60_000.5, "volUsd": 12.5,
        "time": START + number,
    }  # fmt: skip


def _in_a_folder(prepare: Callable[[Path, int], Callable[[], object]]) -> Callable[[int], int]:
    """The cost of what `prepare` returns: it makes files of a size in a folder first."""

    def cost(size: int) -> int:
        with tempfile.TemporaryDirectory() as folder:
            return work(prepare(Path(folder), size))

    return cost


def _import_jsonl(text: Callable[[int], str]) -> Callable[[int], int]:
    """The cost of importing a JSONL file of this content."""

    def prepare(folder: Path, size: int) -> Callable[[], object]:
        (folder / "a.jsonl").write_text(text(size))
        return lambda: cgrx.import_jsonl(folder / "a.jsonl", folder / "to", events="trades")

    return _in_a_folder(prepare)


INPUTS = (Input("rows of JSON", _import_jsonl(lambda size: "\n".join(json.dumps(_row(n)) for n in range(size))), 200),)
