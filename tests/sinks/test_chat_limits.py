"""`cgrx.sinks.slack`, `discord` and `telegram`: how often, how again, and who refuses."""

import logging
from itertools import pairwise
from typing import Any

import pytest
import reactivex as rx
import trio

import cgrx
from cgrx.sinks import SinkStats, discord, slack, telegram
from tests.sinks.chats import (
    NONE,
    SERVICES,
    TELEGRAM_OK,
    TOKEN,
    To,
    of_each,
    play,
    posts,
    telegram_answer,
    text,
    to_discord,
    to_slack,
    to_telegram,
)
from tests.sinks.receivers import HANG_UP, Answering, Asked, Reply, always, played, receiving
from tests.sinks.webhooks import balanced
from tests.support import run, run_mock

# How often, and how again


@pytest.mark.parametrize(
    ("to", "options", "spacing_s"),
    [(to_slack, {}, 1.0), (to_discord, {}, 0.0), (to_telegram, {}, 1.0), (to_telegram, {"chat": -7}, 3.0)],
)
def test_messages_are_spaced(to: To, options: dict[str, Any], spacing_s: float) -> None:
    usual = next(usual for each, usual in SERVICES if each is to)
    asked, _ = play(to, ["a", "b", "c"], usual=usual, batch=1, **options)
    apart = [later.at_s - earlier.at_s for earlier, later in pairwise(asked)]
    assert [text(each) for each in asked] == ["a", "b", "c"]
    assert apart == pytest.approx([spacing_s, spacing_s])


@pytest.mark.parametrize(
    ("to", "answer"),
    [
        (to_slack, Reply(429, {"Retry-After": "30"}, b"rate_limited")),
        (to_discord, Reply(429, {"Retry-After": "1"}, {"message": "slow", "retry_after": 30.0, "global": False})),
        (to_discord, Reply(429, {"Retry-After": "30"}, b"<html>")),
        (to_telegram, Reply(429, body={"ok": False, "error_code": 429, "parameters": {"retry_after": 30}})),
        (to_telegram, Reply(429, {"Retry-After": "30"}, {"ok": False, "parameters": 1})),
    ],
)
def test_the_time_that_a_service_asks_for_is_waited(to: To, answer: Reply) -> None:
    usual = next(usual for each, usual in SERVICES if each is to)
    asking = iter([answer])

    def answering(asked: Asked) -> Reply:
        return next(asking, usual(asked)) if asked.method == "POST" else usual(asked)

    async def main() -> tuple[list[Asked], SinkStats]:
        async with played(usual=answering) as (receiver, url), to(url, rx.of("a")) as sink:
            await trio.sleep(40)
            return posts(receiver), balanced(sink.stats)

    (first, second), stats = run_mock(main)
    assert second.at_s - first.at_s == pytest.approx(30)
    assert (text(first), text(second), stats.delivered, stats.retries) == ("a", "a", 1, 1)


@pytest.mark.parametrize(
    ("headers", "waited_s"),
    [
        ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset-After": "5.5"}, 5.5),
        ({"X-RateLimit-Remaining": "3", "X-RateLimit-Reset-After": "5.5"}, 0),
        ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset-After": "soon"}, 0),
        ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset-After": "nan"}, 0),
        ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset-After": "-1"}, 0),
        ({"X-RateLimit-Remaining": "0"}, 0),
    ],
)
def test_discord_is_not_asked_before_its_bucket_is_full_again(headers: dict[str, str], waited_s: float) -> None:
    (first, second), stats = play(to_discord, ["a", "b"], usual=always(Reply(200, headers, {"id": "1"})), batch=1)
    assert second.at_s - first.at_s == pytest.approx(waited_s)
    assert stats.retries == 0


@pytest.mark.parametrize("trouble", [Reply(500), HANG_UP, Reply(body=b"<html>log in, please"), Reply(body=b"[]")])
def test_telegram_says_itself_whether_a_message_is_there(trouble: Reply) -> None:
    asked, stats = play(to_telegram, ["a"], TELEGRAM_OK, trouble, usual=always(TELEGRAM_OK))
    assert list(map(text, asked)) == ["a", "a"]
    assert (stats.delivered, stats.retries) == (1, 1)


LINES = [letter * 3000 for letter in "abcd"]
"""Each takes a message of its own, at Slack and Telegram."""


def test_what_has_arrived_of_a_batch_is_not_sent_again() -> None:
    asked, stats = play(to_slack, LINES, Reply(), Reply(), Reply(500), usual=always(Reply()))
    assert [text(each)[0] for each in asked] == ["a", "b", "c", "c", "d"]
    assert (stats.delivered, stats.retries) == (4, 1)


def test_an_item_that_is_refused_is_found_and_no_other_is_sent_twice() -> None:
    def answer(asked: Asked) -> Reply:
        return Reply(400, body=b"invalid_payload") if text(asked)[0] == "d" else Reply()

    asked, stats = play(to_slack, [*LINES, "e" * 3000], usual=answer)
    assert [text(each)[0] for each in asked] == ["a", "b", "c", "d", "d", "d", "d", "e"]
    assert (stats.delivered, stats.dead) == (4, 1)


def test_a_batch_that_is_given_up_does_not_count_for_the_next() -> None:
    """A refused item that is alone is buried, and what comes then is sent whole."""

    def answer(asked: Asked) -> Reply:
        return Reply(413) if text(asked)[0] == "b" else Reply()

    asked, stats = play(to_slack, LINES, usual=answer, batch=2)
    assert [text(each)[0] for each in asked] == ["a", "b", "b", "c", "d"]
    assert (stats.delivered, stats.dead) == (3, 1)


def test_a_batch_that_takes_long_says_so_and_goes_on() -> None:
    items = [letter * 4000 for letter in "abcdefghijkl"]

    async def main() -> tuple[list[Asked], SinkStats, str]:
        async with (
            played(usual=telegram_answer) as (receiver, url),
            to_telegram(url, rx.from_iterable(items), chat=-7) as sink,
        ):
            while (error := sink.stats.error) is None:  # noqa: ASYNC110 - the accounts are no event of trio
                await trio.sleep(0.1)
            await sink.flush()
            return posts(receiver), balanced(sink.stats), str(error)

    asked, stats, error = run_mock(main)
    assert "".join(text(each)[0] for each in asked) == "abcdefghijkl"
    assert all(later.at_s - earlier.at_s >= 3 for earlier, later in pairwise(asked))
    assert error == "Telegram takes one message after another, and some wait"
    assert (stats.delivered, stats.error) == (12, None)


# Who refuses


@pytest.mark.parametrize(
    ("to", "answer", "why"),
    [
        (
            to_discord,
            Reply(404, body={"message": "Unknown Webhook"}),
            "Unknown Webhook\"}': see to the URL of the webhook",
        ),
        (to_discord, Reply(401), "answers HTTP 401, saying 'ok': see to the URL of the webhook"),
        (to_telegram, Reply(401, body={"ok": False, "description": "Unauthorized"}), "see to token= and chat="),
        (to_telegram, Reply(400, body={"ok": False, "description": "Bad Request: chat not found"}), "chat not found"),
    ],
)
def test_a_wrong_address_is_known_on_entering(to: To, answer: Reply, why: str) -> None:
    async def main() -> str:
        async with receiving(usual=always(answer)) as (_, url):
            with pytest.raises(cgrx.sinks.SinkRefusedError) as caught:
                await to(url, rx.of("a")).__aenter__()
            return str(caught.value)

    found = run(main)
    assert why in found
    assert "s3cr3t" not in found


@pytest.mark.parametrize(
    ("description", "dead"),
    [
        ("Bad Request: message is too long", 1),
        ("Bad Request: message text is empty", 1),
        ("Bad Request: text must be encoded in UTF-8", 1),
        ("Bad Request: group chat was upgraded to a supergroup chat", 0),
    ],
)
def test_telegram_refuses_the_text_or_the_chat(description: str, dead: int) -> None:
    refusing = iter([Reply(400, body={"ok": False, "description": description})])

    def answer(asked: Asked) -> Reply:
        return next(refusing, telegram_answer(asked)) if asked.method == "POST" else telegram_answer(asked)

    asked, stats = play(to_telegram, ["a"], usual=answer)
    assert (stats.dead, stats.delivered, len(asked)) == (dead, 1 - dead, 2 - dead)


@of_each
def test_secrets_are_in_no_log_error_or_repr(to: To, usual: Answering, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    shown: list[object] = []

    def echo(asked: Asked) -> Reply:
        return Reply(404, body=asked.target.encode()) if asked.method == "POST" else usual(asked)

    async def main() -> None:
        async with receiving(usual=echo) as (_, url):
            context = to(url, rx.of("a"), every="1ms", drain="1ms")
            async with context as sink:
                while sink.stats.error is None:  # noqa: ASYNC110 - as above
                    await trio.sleep(0.005)
                shown.extend([context, sink, sink.name, sink.stats])

    run(main)
    seen = "\n".join([*map(repr, shown), *map(str, shown), caplog.text])
    assert "*** " in seen or "***'" in seen
    assert "s3cr3t" not in seen


# Mistakes


@pytest.mark.parametrize("token", ["", "s3cr3t", ":s3cr3t", "12:", "12:s3cr3t/../x", None])
def test_a_token_that_is_none(token: Any) -> None:
    with pytest.raises(ValueError, match="token= is no token of a bot") as caught:
        telegram(token, NONE, chat=1)
    assert "s3cr3t" not in str(caught.value)


@pytest.mark.parametrize("chat", ["", "name", "@", "-", "1&x=y", None, True])
def test_a_chat_that_is_none(chat: Any) -> None:
    with pytest.raises(ValueError, match="is no chat: give its number"):
        telegram(TOKEN, NONE, chat=chat)


def test_other_arguments_that_cannot_be_used() -> None:
    with pytest.raises(ValueError, match=r"^url cannot be used"):
        slack("s3cr3t", NONE)
    with pytest.raises(ValueError, match=r"^url cannot be used"):
        discord("s3cr3t", NONE)
    with pytest.raises(ValueError, match=r"^base_url cannot be used"):
        telegram(TOKEN, NONE, chat=1, base_url="s3cr3t")
    text: Any = "a text"
    with pytest.raises(TypeError, match="text='a text' is no function"):
        slack("https://hooks.slack.com/services/x", NONE, text=text)


@pytest.mark.parametrize("to", [to_slack, to_discord, to_telegram])
def test_outside_trio(to: To) -> None:
    with pytest.raises(cgrx.NotInTrioError, match=r"cgrx\.sinks\."):
        to("https://host.example", NONE)
