"""Log records as JSON."""

import json
import logging
import sys
from collections.abc import Generator
from typing import Any

import pytest

import cgrx
from cgrx._feed.log import StatusLog, logger

NOON = 1_704_110_400_000


class Lines(logging.Handler):
    """Keeps what the formatter makes of each record."""

    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(cgrx.JsonFormatter())
        self.all: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.all.append(self.format(record))

    @property
    def last(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.all[-1])
        return found


@pytest.fixture
def lines() -> Generator[Lines]:
    handler = Lines()
    logger.addHandler(handler)
    try:
        yield handler
    finally:
        logger.removeHandler(handler)


def test_a_record_is_an_object(lines: Lines) -> None:
    logger.warning("%s is late", "it")
    assert list(lines.last) == ["time", "level", "logger", "message"]
    assert (lines.last["level"], lines.last["logger"], lines.last["message"]) == ("WARNING", "cgrx", "it is late")
    record = logging.makeLogRecord({"msg": "x", "created": NOON / 1e3 + 0.25})
    assert json.loads(cgrx.JsonFormatter().format(record))["time"] == "2024-01-01T12:00:00.250Z"


def test_a_status_gives_its_fields(lines: Lines) -> None:
    """By their names, in plain form; and how many of its kind were held back."""
    log = StatusLog()
    log(cgrx.Disconnected(NOON, cgrx.UnreachableError("h", 1, "refused"), 0.5))
    assert {name: value for name, value in lines.last.items() if name not in ("time", "logger")} == {
        "level": "WARNING",
        "message": "cannot reach h:1: refused; trying again in 0.5 s",
        "status": "Disconnected",
        "at_ms": NOON,
        "error": {"type": "UnreachableError", "message": "cannot reach h:1: refused"},
        "retry_in_s": 0.5,
        "left_out": 0,
    }
    log(cgrx.Silent(NOON, cgrx.LiquidationOrders(), None))
    assert (lines.last["channel"], lines.last["hint"]) == ("liquidationOrders", None)
    for at_ms in (NOON, NOON + 1, NOON + 1_000):
        log(cgrx.NoticeReceived(at_ms, "hello"))
    assert (lines.last["text"], lines.last["left_out"]) == ("hello", 1)


def test_no_text_of_a_server_breaks_a_line(lines: Lines) -> None:
    StatusLog()(cgrx.NoticeReceived(NOON, 'a\n"b"\x1b[31m\u202e\u2028'))
    assert lines.all[-1].isascii()
    assert lines.all[-1].isprintable()
    assert lines.last["text"] == 'a\n"b"\x1b[31m\u202e\u2028'


def test_a_traceback_is_a_field(lines: Lines) -> None:
    """That of a subscriber that raised tells where."""
    try:
        raise LookupError("theirs")
    except LookupError as error:
        StatusLog()(cgrx.SubscriberFailed(NOON, error))
        assert sys.exc_info()[0] is LookupError
    assert lines.last["exception"].startswith("Traceback (most recent call last)")
    assert lines.last["exception"].endswith("LookupError: theirs")


def test_what_a_replay_tells_is_marked(lines: Lines, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "cgrx")
    StatusLog()(cgrx.Connected(NOON), recorded=True)
    assert (lines.last["level"], lines.last["message"], lines.last["recorded"]) == ("INFO", "recorded: connected", True)
