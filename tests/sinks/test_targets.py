"""`cgrx.sinks.to`: what a text means, and what is refused."""

from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Any

import pytest
import reactivex as rx
from reactivex.disposable import Disposable

from cgrx import EventStream, Liquidation, Trade, sinks
from cgrx import operators as ops
from cgrx._sinks import targets
from cgrx.testing import trade
from tests.house import plan
from tests.sinks.receivers import receiving
from tests.support import run

Call = tuple[str, tuple[Any, ...], dict[str, Any]]

NAMES = ("discord", "duckdb", "kafka", "parquet", "postgres", "redis", "slack", "telegram", "webhook")


@pytest.fixture
def called(monkeypatch: pytest.MonkeyPatch) -> list[Call]:
    """Which functions of systems were called, and how; in place of them nothing is done."""
    calls: list[Call] = []

    def stand_in(name: str) -> Any:
        def function(*args: Any, **options: Any) -> AbstractAsyncContextManager[None]:
            calls.append((name, args, options))
            return nullcontext()

        return function

    for name in NAMES:
        monkeypatch.setattr(targets, name, stand_in(name))
    return calls


def stream(*kinds: type) -> EventStream[Any]:
    return EventStream(lambda observer, scheduler: Disposable(), event_types=frozenset(kinds) or None)


ROWS = stream(ops.Bar)


@pytest.mark.parametrize(
    ("target", "name", "args", "options"),
    [
        (
            "postgresql://me@h:5432/db?sslmode=require&table=a.b&create=true",
            "postgres",
            ("postgresql://me@h:5432/db?sslmode=require",),
            {"table": "a.b", "create": True, "pipeline": None},
        ),
        (
            "postgres://h1,h2/db?pipeline=x",
            "postgres",
            ("postgres://h1,h2/db",),
            {"table": "bars", "create": False, "pipeline": "x"},
        ),
        ("redis://h:6379/0", "redis", ("redis://h:6379/0",), {"stream": "bars", "pipeline": None}),
        (
            "rediss://:p%40@h/1?stream=a%20b&x=y&pipeline=z",
            "redis",
            ("rediss://:p%40@h/1?x=y",),
            {"stream": "a b", "pipeline": "z"},
        ),
        ("kafka://h:9092/t", "kafka", ("h:9092",), {"topic": "t", "pipeline": None, "config": {}}),
        (
            "kafka://a:1,b:2?sasl.username=me&sasl.password=p%40&pipeline=x",
            "kafka",
            ("a:1,b:2",),
            {"topic": "bars", "pipeline": "x", "config": {"sasl.username": "me", "sasl.password": "p@"}},
        ),
        ("out/", "parquet", ("out/",), {"by": "hour", "pipeline": None}),
        ("a b/out/*.parquet", "parquet", ("a b/out/*.parquet",), {"by": "hour", "pipeline": None}),
        ("C:/out/?by=day&pipeline=x", "parquet", ("C:/out/",), {"by": "day", "pipeline": "x"}),
        ("duckdb:demo.db", "duckdb", ("demo.db",), {"table": "bars", "pipeline": None}),
        ("duckdb:/a/demo.db?table=x+y&pipeline=z", "duckdb", ("/a/demo.db",), {"table": "x+y", "pipeline": "z"}),
        ("https://h/a?b=c&table=d", "webhook", ("https://h/a?b=c&table=d",), {}),
        ("http://127.0.0.1:8000/", "webhook", ("http://127.0.0.1:8000/",), {}),
        ("slack:https://h/a?b=c", "slack", ("https://h/a?b=c",), {"text": sinks.message}),
        ("discord:https://h/a?thread_id=7", "discord", ("https://h/a?thread_id=7",), {"text": sinks.message}),
        ("telegram:-100123?token=1:ab%2Bc", "telegram", ("1:ab+c",), {"chat": -100123, "text": sinks.message}),
        ("TELEGRAM:@name?token=1:a", "telegram", ("1:a",), {"chat": "@name", "text": sinks.message}),
    ],
)
def test_what_a_target_means(
    target: str, name: str, args: tuple[Any, ...], options: dict[str, Any], called: list[Call]
) -> None:
    sinks.to(target, ROWS, every=0)
    ((found, (place, rows), given),) = called
    assert (found, (place,), given) == (name, args, options | {"every": 0})
    assert rows is ROWS


@pytest.mark.parametrize(
    ("target", "variable", "name", "args"),
    [
        ("slack:", "CGRX_SLACK_URL", "slack", ("s3cret",)),
        ("discord:", "CGRX_DISCORD_URL", "discord", ("s3cret",)),
        ("telegram:5", "CGRX_TELEGRAM_TOKEN", "telegram", ("s3cret",)),
    ],
)
def test_a_secret_from_the_environment(
    target: str,
    variable: str,
    name: str,
    args: tuple[Any, ...],
    called: list[Call],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv(variable, raising=False)
    with pytest.raises(ValueError, match=f"this target needs .*: set the environment variable {variable}"):
        sinks.to(target, ROWS)
    monkeypatch.setenv(variable, "s3cret")
    sinks.to(target, ROWS)
    assert [(found, given[:1]) for found, given, _ in called] == [(name, args)]


@pytest.mark.parametrize(
    ("kinds", "name"),
    [
        ({Liquidation}, "liquidations"),
        ({Trade}, "trades"),
        ({Trade, Liquidation}, "events"),
        ({ops.Flow}, "flows"),
        ({ops.Cascade}, "cascades"),
    ],
)
def test_a_table_is_called_by_what_it_will_hold(kinds: set[type], name: str, called: list[Call]) -> None:
    sinks.to("duckdb:x", stream(*kinds))
    assert called[0][2]["table"] == name


@pytest.mark.parametrize("kinds", [(), (ops.Bar, ops.Flow)])
def test_a_table_without_a_name(kinds: tuple[type, ...], called: list[Call]) -> None:
    with pytest.raises(ValueError, match="what will come is not known, so this target needs a name: add table="):
        sinks.to("duckdb:x", stream(*kinds))
    sinks.to("duckdb:x?table=y", stream(*kinds))
    assert called[0][2]["table"] == "y"


def test_chats_get_the_text_that_is_asked_for(called: list[Call]) -> None:
    sinks.to("slack:https://h/", ROWS, text=str)
    assert called[0][2]["text"] is str


@pytest.mark.parametrize("target", ["", "out", "s3cret", "ftp://h/s3cret", "env:HOOK", "bell", ":s3cret"])
def test_what_is_no_target(target: str) -> None:
    """The forms are named, and the text is not: it may be a secret."""
    with pytest.raises(
        ValueError, match=r"^this is no target: give postgresql://.* FOLDER/ or .*https://HOST/PATH, slack:URL"
    ) as caught:
        sinks.to(target, ROWS)
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    ("target", "error", "words"),
    [
        ("telegram:?token=s3cret", ValueError, "this target needs a chat: give telegram:CHAT"),
        ("telegram:5?token=1&s3cret=2", ValueError, "a parameter that telegram:CHAT"),
        ("out/?table=s3cret", ValueError, "a parameter that FOLDER/ or FOLDER/"),
        ("duckdb:x?tabel=s3cret", ValueError, "a parameter that duckdb:FILE"),
        ("duckdb:?table=x", ValueError, "path="),
        ("out/?by=week", ValueError, "by='week' is none of 'hour', 'day'"),
        ("postgresql://h/db?create=s3cret", ValueError, "create= takes true or false"),
        ("kafka://me:s3cret@h:9092/t", ValueError, "give sasl.username= and sasl.password="),
        (5, TypeError, "a target is a text, and no int"),
    ],
)
def test_what_cannot_be_used(target: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words) as caught:
        sinks.to(target, ROWS)
    assert "s3cret" not in str(caught.value)


def test_every_form_is_documented() -> None:
    """On the page and in the docstring."""
    with pytest.raises(ValueError) as caught:
        sinks.to("", ROWS)
    forms = str(caught.value).removeprefix("this is no target: give ").replace(" or ", ", ").split(", ")
    page = (plan.ROOT / "docs" / "delivery" / "command-line.md").read_text(encoding="utf-8")
    assert len(forms) > 7
    for form in forms:
        assert f"`{form.partition('?')[0]}" in page
        assert form in str(sinks.to.__doc__)


def test_rows_arrive() -> None:
    """At a real server."""

    async def main() -> list[Any]:
        async with receiving() as (receiver, url), sinks.to(f"{url}/hook?a=b", rx.of(trade()), every=0) as sink:
            await sink.flush()
            return [(asked.target, asked.json) for asked in receiver.asked]

    assert run(main) == [("/hook?a=b", [trade().asdict()])]
