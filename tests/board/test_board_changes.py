"""Updates: a page that takes them in shows what a snapshot would."""

import math
from typing import Any

import msgspec
import trio
from hypothesis import example, given, settings
from hypothesis import strategies as st

import cgrx
from cgrx import Dropped
from cgrx import operators as ops
from cgrx._board.messages import Play, Snapshot, Update
from cgrx._recording.entry import Recorded, said_ms
from cgrx.testing import liquidation
from tests.board.boards import BTC, CHANNELS, Page, board, market, proofs, recorded, said
from tests.feed.feeding import START_MS
from tests.replay.replaying import L, Log, at, events
from tests.support import examples, run_mock

PICKS = st.sampled_from([None, "BTC", "ETH", "SOL", "none"])
WAITS = st.sampled_from([0.01, 0.25, 0.25, 2.0, 7.3, 19.0])
STEPS = st.lists(st.tuples(WAITS, st.sets(PICKS, max_size=3)), min_size=1, max_size=12)


def disturbed() -> Log:
    """A recording with losses, a disconnection from second 30 to 33, a late event, and a quiet time at the end."""
    log = recorded(1200)
    error = cgrx.DisconnectedError(1006, "")
    late = liquidation("long", time=at(1) / 1000)
    return Log(
        [
            *(entry for entry in log.said if said_ms(entry.said) < at(30)),
            Recorded(L, Dropped(L, 2, "malformed")),
            Recorded(BTC, Dropped(BTC, 1, "buffer full")),
            Recorded(None, cgrx.Disconnected(at(30), error, 1.0)),
            Recorded(None, cgrx.Connected(at(33))),
            *(Recorded(channel, cgrx.Gap(channel, at(29.5), at(33), "disconnected")) for channel in CHANNELS),
            *(entry for entry in log.said if said_ms(entry.said) >= at(33)),
            events((log.end_ms - START_MS) / 1000, late),
            *(entry for second in range(1, 30) for entry in proofs(log.end_ms + second * 1000, *CHANNELS)),
        ]
    )


LOG = disturbed()


def same(page: Page, snapshot: Snapshot) -> None:
    """Whether the page shows what the snapshot says, as far as it was told."""
    shown = page.shown
    kept = {each.start for each in snapshot.windows}
    whole: dict[str, Any] = {
        "windows": [each for each in shown.windows if each.start in kept],
        "tape": [each for each in shown.tape if each.id >= snapshot.tape[0].id] if snapshot.tape else [],
    }
    found = msgspec.structs.replace(shown, **whole)
    if page.skipped:
        assert {each.id for each in found.tape} <= {each.id for each in snapshot.tape}
        assert len(snapshot.tape) - len(found.tape) <= page.skipped
        found = msgspec.structs.replace(found, tape=snapshot.tape)
    for name in set(snapshot.__struct_fields__) - {"bubbles"}:  # a page adds to them from the tape
        assert getattr(found, name) == getattr(snapshot, name), name


EVERY_TICK: list[tuple[float, set[str | None]]] = [(0.7, {None, "BTC", "ETH"})] * 130


@example(steps=EVERY_TICK, speed=1.0, keep="1h")
@example(steps=EVERY_TICK, speed=1.0, keep="30s")
@settings(max_examples=examples(40))
@given(steps=STEPS, speed=st.sampled_from([1.0, 3.0, math.inf]), keep=st.sampled_from(["30s", "1h"]))
def test_a_snapshot_is_an_earlier_one_and_all_changes(
    steps: list[tuple[float, set[str | None]]], speed: float, keep: str
) -> None:
    """Whatever was picked, whenever, and however long a tick was."""

    async def main() -> None:
        bands = ops.cascades("1s", min_count=2, emit="crossed", updates="1s")
        async with board(
            LOG, speed=speed, keep=keep, cascades=bands, alert_volume=20_000, alert_silence="5s", large_trade=0
        ) as views:
            pages: dict[str | None, Page] = {}
            for wait_s, picked in steps:
                await trio.sleep(wait_s)
                updates = views.changes(tuple(pages))
                for asset, page in pages.items():
                    page.update(updates[asset])
                    same(page, views.snapshot(asset))
                pages = {asset: page for asset, page in pages.items() if asset in picked}
                for asset in picked - pages.keys():
                    pages[asset] = Page(views.snapshot(asset))

    run_mock(main)


def test_an_update_holds_what_has_changed_and_no_more() -> None:
    """No window that stayed as it was, and nothing of other assets."""

    async def main() -> None:
        log = Log([*recorded(400).said, events(60, liquidation("long", time=at(60) / 1000, base_asset="ETH"))])
        async with board(log, speed=1) as views:
            await trio.sleep(42)
            views.changes([None])
            await trio.sleep(0.25)
            (update,) = views.changes(["none"]).values()
            assert update.windows == []
            assert update.tape == []
            await trio.sleep(20)
            found = views.changes(["ETH", "SOL"])
            eth, sol = found["ETH"], found["SOL"]
            assert [each.asset for each in eth.tape] == ["ETH"]
            assert sol.tape == []
            assert [(each.start, each.liquidations) for each in eth.windows][-1] == (at(60) // 10_000 * 10_000, 1)
            assert isinstance(sol, Update)

    run_mock(main)


def test_where_time_stands_nothing_changes() -> None:
    """Though a gap reaches into the window: a replay that is paused tells no window twice."""

    async def main() -> None:
        async with board(recorded(400), speed=1) as views:
            await trio.sleep(1)
            await views.play(Play(paused=True))
            views.changes([None])
            await trio.sleep(5)
            assert views.changes([None])[None].windows == []

    run_mock(main)


def test_messages_are_json_and_come_back_as_they_were() -> None:
    """Whatever is in them: no number is out of the range of JSON."""

    async def main() -> None:
        huge = liquidation("long", volume_usd=1.7e308, time=at(1) / 1000, symbol="<img onerror>\u202e")
        log = Log([*recorded(100).said, *said([*market(100)][-1:]), events(20, huge, huge)])
        async with board(log, speed=math.inf) as views:
            await trio.sleep(60)
            for asset in (None, "BTC"):
                snapshot = views.snapshot(asset)
                again = msgspec.json.decode(msgspec.json.encode(snapshot), type=Snapshot)
                assert again == snapshot
                assert math.isfinite(snapshot.totals[2].long)
                assert snapshot.tape[-1].symbol == "<img onerror>\u202e"
            update = views.changes([None])[None]
            assert msgspec.json.decode(msgspec.json.encode(update), type=Update) == update

    run_mock(main)
