"""What a feed says about itself becomes plain lines, and the logger is left as it was."""

import logging

import pytest

from cgrx._cli.terminal.reports import begins, gap_words, reporting
from cgrx._feed.log import StatusLog, logger
from cgrx._model.channels import FuturesTrades, LiquidationOrders
from cgrx._model.errors import UnreachableError
from cgrx._model.output_status import Backpressured, Resumed, StreamFailed, SubscriberFailed
from cgrx._model.signals import Gap
from cgrx._model.status import (
    Connected,
    Connecting,
    Disconnected,
    MalformedInput,
    Misspelt,
    NoticeReceived,
    Silent,
    Status,
)

NOON = 1_704_110_400_000
TRADES = FuturesTrades("Binance", "BTCUSDT", 0)


def lines(*statuses: Status) -> list[str]:
    said: list[str] = []
    with reporting(lambda text, _: said.append(text)):
        log = StatusLog()
        for status in statuses:
            log(status)
    return said


@pytest.mark.parametrize(
    ("status", "line"),
    [
        (Connected(NOON), "12:00:00 connected"),
        (
            Disconnected(NOON, UnreachableError("h", 1, "refused"), 0.44),
            "12:00:00 cannot reach h:1: refused; trying again in 0.4 s",
        ),
        (
            Silent(NOON, TRADES, None),
            f"12:00:00 no event of {TRADES.name} yet: is it spelled as the exchange does?",
        ),
        (Silent(NOON, TRADES, "it is BTC"), f"12:00:00 no event of {TRADES.name} yet: it is BTC"),
        (
            Misspelt(NOON, TRADES, "Binnance", ("Binance",)),
            f"12:00:00 'Binnance': did you mean Binance? (channel {TRADES.name})",
        ),
        (
            MalformedInput(NOON, "x", "$.data[3].price", "negative", "..."),
            "12:00:00 malformed input at $.data[3].price: negative in ...",
        ),
        (NoticeReceived(NOON, "maintenance"), "12:00:00 the server says: maintenance"),
        (SubscriberFailed(NOON, KeyError("k")), "12:00:00 a subscriber raised KeyError: 'k'"),
        (StreamFailed(NOON, KeyError("k")), "12:00:00 a stream without on_error has failed: 'k'"),
    ],
)
def test_each_status_is_a_line(status: Status, line: str) -> None:
    assert lines(status) == [line]


def test_what_is_not_worth_a_line() -> None:
    """Attempts are reported by how they end; a reader that was slow for a moment is none of anybody's business."""
    assert lines(Connecting(NOON, 1), Backpressured(NOON), Resumed(NOON + 900)) == []


def test_a_reader_that_holds_the_feed_up() -> None:
    assert lines(Backpressured(NOON), Resumed(NOON + 2_500)) == ["12:00:02 the reader held the feed up for 2.5 s"]


def test_what_was_recorded_is_no_trouble_of_now() -> None:
    said: list[str] = []
    with reporting(lambda text, _: said.append(text)):
        StatusLog()(NoticeReceived(NOON, "maintenance"), recorded=True)
    assert said == ["12:00:00 recorded: the server says: maintenance"]


def test_floods_are_counted() -> None:
    notices = [NoticeReceived(NOON + 200 * number, f"n{number}") for number in range(6)]
    assert lines(*notices) == ["12:00:00 the server says: n0", "12:00:01 the server says: n5 (4 more not logged)"]


def test_warnings_without_a_status_are_said() -> None:
    """Of what a call to `connect` does, there is no status yet. Less than a warning is nobody's business."""
    said: list[str] = []
    with reporting(lambda text, _: said.append(text)):
        logger.warning("no proxy is %s", "used")
        logger.info("%s", "something")
    assert said == ["no proxy is used"]


def test_the_logger_is_left_as_it_was(caplog: pytest.LogCaptureFixture) -> None:
    """While a command speaks for the feed, nobody else does; afterwards everything is as before."""
    before = (logger.level, logger.propagate, list(logger.handlers))

    def fail() -> None:
        with reporting(lambda text, _: None):
            assert logger.level == logging.INFO
            StatusLog()(Connected(NOON))
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert caplog.records == []
    assert (logger.level, logger.propagate, list(logger.handlers)) == before


def test_a_gap_is_a_line() -> None:
    """The one with which a subscription begins says from when on its channel is heard."""
    channel = LiquidationOrders()
    begun, lost = Gap(channel, 0, NOON, "subscribed"), Gap(channel, NOON + 1, NOON + 1_500, "connection lost")
    assert (begins(begun), begins(lost)) == (True, False)
    assert gap_words(channel, begun) == "12:00:00 listening to liquidationOrders"
    assert gap_words(channel, lost) == (
        "12:00:01 gap: events of liquidationOrders may be missing between 12:00:00.001 and 12:00:01.500"
        " (connection lost)"
    )
