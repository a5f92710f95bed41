"""The status of a feed as log lines."""

import logging

import pytest

from cgrx._feed.log import StatusLog, redacted
from cgrx._model.channels import FuturesTrades, LiquidationOrders
from cgrx._model.errors import DisconnectedError, PlanError
from cgrx._model.output_status import Backpressured, Resumed, StreamFailed, SubscriberFailed
from cgrx._model.status import (
    ClockSkewed,
    Connected,
    Connecting,
    Disconnected,
    Ended,
    MalformedInput,
    Misspelt,
    NoticeReceived,
    Silent,
    Status,
)


def malformed(at_ms: int) -> MalformedInput:
    return MalformedInput(at_ms, "liquidationOrders", "$.data[0].price", "expected a number", "'x'")


@pytest.mark.parametrize(
    ("status", "level"),
    [
        (Connected(0), "INFO"),
        (Resumed(0), "INFO"),
        (Disconnected(0, DisconnectedError(1001), 0.5), "WARNING"),
        (Silent(0, LiquidationOrders(), None), "WARNING"),
        (Misspelt(0, FuturesTrades("Binnance", "BTCUSDT", 0), "Binnance", ("Binance",)), "WARNING"),
        (ClockSkewed(0, 5_000, "system"), "WARNING"),
        (Backpressured(0), "WARNING"),
        (NoticeReceived(0, "hello"), "WARNING"),
        (malformed(0), "WARNING"),
        (SubscriberFailed(0, LookupError("theirs")), "ERROR"),
        (StreamFailed(0, PlanError("liquidationOrders", "need upgrade plan")), "ERROR"),
    ],
    ids=lambda value: type(value).__name__ if not isinstance(value, str) else value,
)
def test_how_loud_each_status_is(caplog: pytest.LogCaptureFixture, status: Status, level: str) -> None:
    """On the logger `cgrx`, as one message that shows the whole status."""
    with caplog.at_level(logging.DEBUG, "cgrx"):
        StatusLog()(status)
    assert [(each.name, each.levelname, each.getMessage()) for each in caplog.records] == [("cgrx", level, str(status))]


@pytest.mark.parametrize("status", [Connecting(0, 1), Ended(0, None)])
def test_what_others_say_already_is_not_logged(caplog: pytest.LogCaptureFixture, status: Status) -> None:
    """An attempt ends in a line of its own; the end is raised."""
    with caplog.at_level(logging.DEBUG, "cgrx"):
        StatusLog()(status)
    assert caplog.records == []


def test_a_record_carries_its_status(caplog: pytest.LogCaptureFixture) -> None:
    """A handler need not parse the message; floods say how many were left out."""
    first, last = malformed(0), malformed(1000)
    with caplog.at_level(logging.INFO, "cgrx"):
        log = StatusLog()
        for status in (first, malformed(10), malformed(999), last):
            log(status)
    assert [vars(each)["status"] for each in caplog.records] == [first, last]
    assert [vars(each)["left_out"] for each in caplog.records] == [0, 2]


def test_a_subscriber_s_error_comes_with_its_traceback(caplog: pytest.LogCaptureFixture) -> None:
    """Where it was raised is known from nowhere else when it is isolated."""
    try:
        raise LookupError("theirs")
    except LookupError as error:
        StatusLog()(SubscriberFailed(0, error))
    assert "Traceback" in caplog.text
    assert "raise LookupError" in caplog.text


def test_floods_are_logged_once_a_second_with_what_was_left_out(caplog: pytest.LogCaptureFixture) -> None:
    """The server can cause malformed input as often as it likes; the status has each one."""
    log = StatusLog()
    for at_ms in (0, 1, 999, 1000, 1500, 2000, 3000):
        log(malformed(at_ms))
    assert [record.getMessage().partition("'x'")[2] for record in caplog.records] == [
        "",
        " (2 more not logged)",
        " (1 more not logged)",
        "",
    ]


def test_each_kind_has_its_own_bound(caplog: pytest.LogCaptureFixture) -> None:
    """Notices are not hidden by malformed input; disconnects are never left out."""
    log = StatusLog()
    for _ in range(2):
        log(malformed(0))
        log(NoticeReceived(0, "hello"))
        log(Disconnected(0, DisconnectedError(1001), 0.0))
    kinds: list[type] = [type(vars(record)["status"]) for record in caplog.records]
    assert kinds == [MalformedInput, NoticeReceived, Disconnected, Disconnected]


def test_trio_websocket_s_lines_are_redacted_meanwhile(caplog: pytest.LogCaptureFixture) -> None:
    """In text and arguments; afterwards its logger is as it was."""
    theirs = logging.getLogger("trio-websocket")
    with caplog.at_level(logging.DEBUG, "trio-websocket"):
        with redacted(lambda text: text.replace("secret", "***")):
            theirs.debug("%s closed: %r", "client-1", ValueError("the secret"))
        theirs.debug("the secret")
    assert [record.getMessage() for record in caplog.records] == [
        "client-1 closed: ValueError('the ***')",
        "the secret",
    ]
    assert caplog.records[0].args == ()
    assert theirs.filters == []
