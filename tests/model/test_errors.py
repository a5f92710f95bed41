"""The hierarchy of errors: what each says, what it carries, whether it may pass."""

import copy
import inspect
import pickle
from typing import Any

import pytest

from cgrx._model import data_errors, errors, use_errors
from cgrx._model.data_errors import (
    EngineError,
    LogError,
    RecordedError,
    RecordError,
    RecordingError,
    SinkDataError,
    SinkRefusedError,
    SinkUnavailableError,
)
from cgrx._model.errors import (
    AddressError,
    AuthError,
    CertificateError,
    CgrxError,
    ConnectError,
    DisconnectedError,
    HandshakeError,
    HeartbeatError,
    PlanError,
    RejectedError,
    TransportError,
    UnreachableError,
)
from cgrx._model.use_errors import (
    BackpressureError,
    BufferOverflowError,
    InTrioError,
    NotInAsyncioError,
    NotInTrioError,
    StateError,
    ThreadError,
    TooManyKeysError,
)

LAST = UnreachableError("a.example", 443, "connection refused")

CASES: list[tuple[CgrxError, str, dict[str, Any]]] = [
    (SinkUnavailableError("slow down", 3.0), "slow down", {"reason": "slow down", "retry_after_s": 3.0}),
    (SinkRefusedError("no table"), "no table", {"reason": "no table"}),
    (SinkDataError("no number"), "no number", {"reason": "no number"}),
    (
        UnreachableError("a.example", 443, "connection refused"),
        "cannot reach a.example:443: connection refused",
        {"host": "a.example", "port": 443, "reason": "connection refused"},
    ),
    (
        CertificateError("a.example", "certificate has expired"),
        "the certificate of a.example does not verify: certificate has expired",
        {"host": "a.example", "reason": "certificate has expired"},
    ),
    (
        HandshakeError("too many requests", 429, 12.5),
        "no WebSocket handshake: too many requests",
        {"reason": "too many requests", "status": 429, "retry_after_s": 12.5},
    ),
    (
        HandshakeError("it speaks no HTTP"),
        "no WebSocket handshake: it speaks no HTTP",
        {"reason": "it speaks no HTTP", "status": None, "retry_after_s": None},
    ),
    (
        DisconnectedError(1012, "restart"),
        "connection closed with code 1012: restart",
        {"code": 1012, "reason": "restart"},
    ),
    (DisconnectedError(1006), "connection closed with code 1006", {"code": 1006, "reason": ""}),
    (EngineError("Spark", "no Java"), "Spark: no Java", {"engine": "Spark", "reason": "no Java"}),
    (HeartbeatError(10.0), "no pong within 10 s of a ping", {"timeout_s": 10.0}),
    (
        ConnectError(30.0, 4, LAST),
        "no connection within 30 s (4 attempts); last: cannot reach a.example:443: connection refused",
        {"timeout_s": 30.0, "attempts": 4},
    ),
    (ConnectError(0.5, 0, None), "no connection within 0.5 s (0 attempts); last: None", {"last": None}),
    (AuthError(403), "the server refused the API key (HTTP 403)", {"status": 403}),
    (
        AddressError("wss://a.example/ws"),
        "no WebSocket service at wss://a.example/ws (HTTP 404)",
        {"url": "wss://a.example/ws"},
    ),
    (
        PlanError("liquidationOrders", "liquidationOrders need upgrade plan"),
        "the plan of this API key does not include liquidationOrders: it needs Standard or above",
        {"channel": "liquidationOrders", "notice": "liquidationOrders need upgrade plan"},
    ),
    (
        RejectedError(3, 1008, "bad key"),
        "the server closed 3 connections in a row before any data (code 1008), saying 'bad key'",
        {"attempts": 3, "code": 1008, "notice": "bad key"},
    ),
    (
        RejectedError(3, 1006, None),
        "the server closed 3 connections in a row before any data (code 1006)",
        {"attempts": 3, "code": 1006, "notice": None},
    ),
    (
        BufferOverflowError(1024, 7),
        (
            "the buffer of 1024 events is full and 7 more came: consume faster, raise `buffer`,"
            ' or choose overflow="drop_oldest", "drop_newest", "latest" or "block"'
        ),
        {"buffer": 1024, "dropped": 7},
    ),
    (
        BackpressureError(60.0),
        "a blocking stream was full for 60 s: its consumer has stalled",
        {"timeout_s": 60.0},
    ),
    (
        TooManyKeysError(2, ("Binance", "BTCUSDT")),
        (
            "2 keys are open and ('Binance', 'BTCUSDT') is one more: choose a coarser `by`, filter the events before,"
            " or raise `max_keys`"
        ),
        {"max_keys": 2, "key": ("Binance", "BTCUSDT")},
    ),
    (
        StateError("another version", "1", "2"),
        "another version",
        {"reason": "another version", "found": "1", "expected": "2"},
    ),
    (LogError("no such topic"), "no such topic", {"reason": "no such topic"}),
    (ThreadError("wrong thread"), "wrong thread", {}),
    (NotInTrioError("no trio"), "no trio", {}),
    (NotInAsyncioError("no asyncio"), "no asyncio", {}),
    (InTrioError("trio"), "trio", {}),
    (
        RecordedError("HeartbeatError", "no pong within 10 s of a ping"),
        "HeartbeatError: no pong within 10 s of a ping",
        {"type_name": "HeartbeatError", "message": "no pong within 10 s of a ping"},
    ),
    (
        RecordingError("day/part-00000003.parquet", "row group 2", "it is damaged"),
        "day/part-00000003.parquet, row group 2: it is damaged",
        {"file": "day/part-00000003.parquet", "place": "row group 2", "reason": "it is damaged"},
    ),
    (
        RecordError("b'x'", "b'[]'", "channel 'x' is not known", "trades[3] at offset 17"),
        "trades[3] at offset 17: no record under the key b'x': channel 'x' is not known; its value: b'[]'",
        {"key": "b'x'", "value": "b'[]'", "reason": "channel 'x' is not known", "place": "trades[3] at offset 17"},
    ),
    (
        RecordingError("day/manifest.json", None, "it is missing"),
        "day/manifest.json: it is missing",
        {"file": "day/manifest.json", "place": None, "reason": "it is missing"},
    ),
]


def name_of(error: object) -> str:
    return type(error).__name__


@pytest.mark.parametrize(("error", "message", "attributes"), CASES, ids=name_of)
def test_each_error_says_what_it_knows(error: CgrxError, message: str, attributes: dict[str, Any]) -> None:
    """In its message for people, in attributes for programs."""
    assert str(error) == message
    assert {name: getattr(error, name) for name in attributes} == attributes


@pytest.mark.parametrize("error", [case[0] for case in CASES], ids=name_of)
def test_errors_survive_being_copied(error: CgrxError) -> None:
    """They cross into other processes, and a test run in several processes shows them, with all that they carry."""
    error.add_note("in channel liquidationOrders")
    for again in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert type(again) is type(error)
        assert str(again) == str(error)
        assert again.__notes__ == ["in channel liquidationOrders"]
        assert {name: str(value) for name, value in vars(again).items()} == {
            name: str(value) for name, value in vars(error).items()
        }


def test_the_last_cause_is_carried() -> None:
    assert ConnectError(30.0, 4, LAST).last is LAST


def test_all_errors_are_cases_here_and_of_one_family() -> None:
    defined = {
        value
        for module in (errors, use_errors, data_errors)
        for value in vars(module).values()
        if inspect.isclass(value) and value.__module__ == module.__name__
    }
    assert all(issubclass(error, CgrxError) for error in defined)
    assert defined - {CgrxError, TransportError} == {type(case[0]) for case in CASES}


def test_what_may_pass_with_a_new_connection() -> None:
    """The supervisor asks for `retryable` and nothing else."""
    retryable = {type(case[0]) for case in CASES if case[0].retryable}
    assert retryable == {UnreachableError, CertificateError, HandshakeError, DisconnectedError, HeartbeatError}
    assert all(issubclass(error, TransportError) for error in retryable)
    assert not CgrxError.retryable
