"""`--to`: what is read from where, and that no secret is shown."""

import pytest

from cgrx._cli.targets import target
from cgrx._cli.terminal.exits import CommandError
from cgrx._cli.view.delivery import Place


@pytest.mark.parametrize(
    "text",
    [
        "postgresql://h/db?table=bars",
        "postgresql://me@h:5432/db?sslmode=require&sslkey=/a/b&passfile=/c",
        "redis://h:6379/0?stream=bars",
        "kafka://a:9092,b:9092/topic",
        "out/",
        "/a/key=1/*.parquet",
        "duckdb:demo.db?table=x",
        "https://h/hook",
        "slack:",
        "discord:",
        "telegram:-100123",
        "bell",
        "command:./notify.sh --loud",
        "http://[",  # nothing can be read of it: `cgrx.sinks.to` refuses it
    ],
)
def test_a_target_without_a_secret_is_as_it_is(text: str) -> None:
    assert target(text) == Place(text, text)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("postgresql://me:s3cret@h/db", "a password"),
        ("postgresql://h/db?password=s3cret", "a password"),
        ("postgresql://h/db?sslpassword=s3cret", "a sslpassword"),
        ("host=h password=s3cret", "a password"),
        ("redis://:s3cret@h/0", "a password"),
        ("kafka://h:9092/t?sasl.password=s3cret", "a sasl.password"),
        ("https://u:s3cret@h/hook", "a password"),
        ("https://h/hook?api_key=s3cret", "a api_key"),
        ("https://hooks.slack.com/services/s3cret", "the URL of a webhook"),
        ("https://ptb.discord.com/api/webhooks/1/s3cret", "the URL of a webhook"),
        ("slack:https://example/s3cret", "the URL of a webhook"),
        ("discord:https://example/s3cret", "the URL of a webhook"),
        ("telegram:5?token=s3cret", "a token"),
        ("command:./notify.sh --token=s3cret", "a token"),
    ],
)
def test_a_secret_is_refused_with_the_remedy(text: str, what: str) -> None:
    with pytest.raises(CommandError) as caught:
        target(text)
    message = str(caught.value)
    assert message.startswith(f"{what} in --to can be seen by every user of this machine: put the target into an")
    assert "--to env:CGRX_TARGET" in message
    assert ("PGPASSWORD or ~/.pgpass" in message) == text.startswith("postgres")
    assert "s3cret" not in message


def test_a_variable_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its value is in no message, and in no representation."""
    monkeypatch.setenv("HOOK", " redis://:s3cret@h/0 ")
    found = target("env:HOOK")
    assert found.text == "redis://:s3cret@h/0"
    assert repr(found) == "Place(named='env:HOOK')"


@pytest.mark.parametrize(("text", "name"), [("env:NO_SUCH", "NO_SUCH"), ("env:", "NAME")])
def test_a_variable_that_is_not_set(text: str, name: str) -> None:
    with pytest.raises(CommandError, match=f"--to {text}: the environment variable {name} is not set"):
        target(text)


def test_the_end_of_a_replay_is_another_option() -> None:
    with pytest.raises(CommandError, match="--to 2024-08-09 is a time: a replay ends at --until"):
        target("2024-08-09")
