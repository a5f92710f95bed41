"""The tape of a board: the newest events of an asset, and the largest of those that are new."""

from cgrx._board.bounds import BUBBLES, NEW_PRINTS, SHOWN_PRINTS, TAPE
from cgrx._board.bubbles import Bubbles
from cgrx._board.tape import Tape
from cgrx.testing import liquidation, trade


def test_the_tape_numbers_events_and_tells_new_ones_once() -> None:
    tape = Tape()
    tape.add([liquidation("long", volume_usd=10.0), liquidation("short", volume_usd=5.0)], 6.0)
    tape.add([trade("buy", volume_usd=70.0, base_asset="ETH")], 6.0)
    assert [(each.id, each.asset, each.side, each.what) for each in tape.latest(None)] == [
        (1, "BTC", "long", "liquidation"),
        (2, "ETH", "buy", "trade"),
    ]
    assert [each.id for each in tape.latest("ETH")] == [2]
    new = tape.new([None, "ETH"])
    assert {asset: [each.id for each in prints] for asset, (prints, _) in new.items()} == {None: [1, 2], "ETH": [2]}
    assert tape.new([None]) == {None: ([], 0)}


def test_an_update_holds_the_largest_and_counts_the_others() -> None:
    tape = Tape()
    count = TAPE + 100
    tape.add([liquidation("long", volume_usd=float(1 + number)) for number in range(count)], 0.0)
    prints, skipped = tape.new([None])[None]
    assert [each.id for each in prints] == list(range(count - NEW_PRINTS + 1, count + 1))
    assert len(prints) + skipped == count
    assert [each.id for each in tape.latest(None)] == list(range(count - SHOWN_PRINTS + 1, count + 1))


def test_long_texts_are_cut_and_others_stay_as_they_are() -> None:
    tape = Tape()
    tape.add([liquidation("long", symbol="<img onerror>" + "x" * 10_000), liquidation("long", symbol="<b>\u202e")], 0.0)
    cut, kept = tape.latest(None)
    assert cut.symbol.startswith("<img onerror>x")
    assert (len(cut.symbol), cut.symbol[-1]) == (60, "…")
    assert kept.symbol == "<b>\u202e"


def test_the_largest_liquidations_of_each_window_are_kept() -> None:
    """Some of each asset, with the numbers that they have on the tape; bounded in each window and in all."""
    bubbles = Bubbles(1000)
    for number in range(1, 21):
        bubbles.add(number, liquidation("long", volume_usd=float(number % 10 + 1), time=0.5))
    bubbles.add(21, liquidation("long", volume_usd=0.5, base_asset="ETH", time=1.5))
    assert [each.id for each in bubbles.largest("BTC")] == [8, 9, 17, 18, 19]
    assert [each.id for each in bubbles.largest(None)] == [8, 9, 17, 18, 19, 21]
    bubbles.forget_before(1000)
    assert [each.id for each in bubbles.largest(None)] == [21]
    for number in range(1000):
        bubbles.add(number, liquidation("long", base_asset=f"A{number}", time=2.5 + number // 200))
    assert len(bubbles.largest(None)) == BUBBLES
    assert bubbles.largest("A150") == []
    assert [each.asset for each in bubbles.largest("A50")] == ["A50"]
