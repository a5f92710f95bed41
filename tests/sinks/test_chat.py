"""`cgrx.sinks.slack`, `discord` and `telegram`: what is sent."""

import re
from collections.abc import Callable
from functools import partial
from html import unescape

import pytest
import reactivex as rx
from hypothesis import given, settings
from hypothesis import strategies as st

import cgrx
from cgrx import operators as ops
from cgrx.sinks import message
from cgrx.testing import trade
from tests.sinks.chats import (
    JOINER,
    SERVICES,
    TOKEN,
    To,
    deliver_all,
    flow,
    of_each,
    play,
    telegram_answer,
    text,
    to_discord,
    to_slack,
    to_telegram,
)
from tests.sinks.receivers import Answering, Receiver, Reply, always, receiving
from tests.support import examples, run

# What is sent


def test_the_shape_of_slack() -> None:
    (asked,), _ = run(lambda: deliver_all(to_slack, ["a & b"], usual=always(Reply())))
    assert (asked.target, asked.headers["content-type"]) == ("/services/T0/s3cr3t-slack", "application/json")
    assert asked.json == {"text": "a &amp; b", "mrkdwn": False, "unfurl_links": False, "unfurl_media": False}


def test_the_shape_of_discord() -> None:
    async def main() -> Receiver:
        async with receiving() as (receiver, url), to_discord(url, rx.of("a & b"), every="1ms") as sink:
            await sink.flush()
            return receiver

    check, asked = run(main).asked
    assert (check.method, check.target) == ("GET", "/api/webhooks/1/s3cr3t-discord?thread_id=7")
    assert asked.target == "/api/webhooks/1/s3cr3t-discord?thread_id=7&wait=true", "else it acknowledges too early"
    assert asked.json == {"content": "a & b", "allowed_mentions": {"parse": []}, "flags": 4}


@pytest.mark.parametrize("chat", [42, -1001234, "@channel"])
def test_the_shape_of_telegram(chat: int | str) -> None:
    async def main() -> Receiver:
        async with (
            receiving(usual=telegram_answer) as (receiver, url),
            to_telegram(url, rx.of("a & b"), chat=chat, every="1ms") as sink,
        ):
            await sink.flush()
            return receiver

    check, asked = run(main).asked
    assert (check.method, check.target) == ("GET", f"/api/bot{TOKEN}/getChat?chat_id={str(chat).replace('@', '%40')}")
    assert asked.target == f"/api/bot{TOKEN}/sendMessage"
    assert asked.json == {"chat_id": chat, "text": "a & b", "link_preview_options": {"is_disabled": True}}


@of_each
def test_items_go_together_a_line_for_each(to: To, usual: Answering) -> None:
    event = trade("buy", 1_000.0)
    items = [event, flow(withdrawn=True), ops.Cooled(flow(withdrawn=True), 3), flow(gap_ms=2100), "a text\nof mine"]
    (asked,), stats = run(lambda: deliver_all(to, items, usual=usual))
    lines = [message(event), message(flow(gap_ms=2100)), "a text of mine"]
    assert text(asked).split("\n") == lines
    assert "INCOMPLETE: gap 2.1 s" in lines[1]
    assert stats.delivered == 5, "withdrawn rows are not sent, and done with"


@of_each
def test_nothing_is_sent_where_there_is_no_text(to: To, usual: Answering) -> None:
    asked, stats = run(lambda: deliver_all(to, [flow(withdrawn=True), "", " \n"], usual=usual))
    assert (asked, stats.delivered) == ([], 3)


@pytest.mark.parametrize(
    ("to", "usual", "longest"), [(*each, n) for each, n in zip(SERVICES, (4000, 2000, 4096), strict=True)]
)
def test_lines_stay_whole_and_a_long_one_is_cut(to: To, usual: Answering, longest: int) -> None:
    items = ["&" * 4500, "x" * (longest - 10), "y" * 9, "z" * 2, "\U0001f680" * longest]
    asked, stats = play(to, items, usual=usual)
    first, second, third, fourth = map(text, asked)
    amp = "&amp;" if to is to_slack else "&"
    assert first == amp * ((longest - 1) // len(amp)) + "…"
    assert second.split("\n") == ["x" * (longest - 10), "y" * 9]
    assert third == "zz"
    assert fourth == "\U0001f680" * ((longest - 1) // 2) + "…", "they count in UTF-16"
    assert stats.delivered == 5


@of_each
def test_a_text_of_ones_own(to: To, usual: Answering) -> None:
    def name(event: cgrx.Trade) -> str:
        return {1.0: "one", 2.0: "two"}[event.volume_usd]

    items = [trade(volume_usd=float(size)) for size in (1, 2, 3)]
    asked, stats = play(to, items, usual=usual, text=name)
    assert "\n".join(map(text, asked)) == "one\ntwo"
    assert (stats.delivered, stats.dead) == (2, 1)


# What a server may put into a name


@pytest.mark.parametrize(
    ("line", "slack_text", "discord_text", "telegram_text"),
    [
        ("@everyone", "@|everyone", r"\@everyone", "@|everyone"),
        ("<!channel> <@U1>", "&lt;!channel&gt; &lt;@|U1&gt;", r"\<!channel\> \<\@U1\>", "<!channel> <@|U1>"),
        ("<https://a.b|c>", "&lt;https:|/|/|a.|b|c&gt;", r"\<https\:\/\/a.b\|c\>", "<https:|/|/|a.|b|c>"),
        ("*b* _i_ ~s~ `c`", "*b* _i_ ~s~ `c`", r"\*b\* \_i\_ \~s\~ \`c\`", "*b* _i_ ~s~ `c`"),
        (r"[a](b) \*", r"[a](b) \*", r"\[a\](b) \\\*", r"[a](b) \*"),
        (":smile: #tag", ":|smile: #|tag", r"\:smile: \#tag", ":|smile: #|tag"),
        ("$BTC /stop", "$|BTC /|stop", r"$BTC \/stop", "$|BTC /|stop"),
        ("t.me/x 1.2.3.4", "t.|me/|x 1.|2.|3.4", r"t.me\/x 1.2.3.4", "t.|me/|x 1.|2.|3.4"),
        ("a-.com ~.b", "a-.|com ~.|b", r"a-.com \~.b", "a-.|com ~.|b"),
        ("at 12:03:05 5,230.50", "at 12:03:05 5,230.50", "at 12:03:05 5,230.50", "at 12:03:05 5,230.50"),
        ("- item", "- item", "|- item", "- item"),
        ("1. item", "1. item", "|1. item", "1. item"),
        ("# head", "# head", r"\# head", "# head"),
        ("> quote", "&gt; quote", r"\> quote", "> quote"),
        ("a\u202eb\r\nc\u200bd\x00", r"a\u202eb c\u200bd\x00", r"a\\u202eb c\\u200bd\\x00", r"a\u202eb c\u200bd\x00"),
        ("&lt;", "&amp;lt;", "&lt;", "&lt;"),
    ],
)  # fmt: skip
def test_names_call_nobody_and_change_nothing(
    line: str, slack_text: str, discord_text: str, telegram_text: str
) -> None:
    """`|` stands for the invisible joiner, but where the line has it."""
    for (to, usual), expected in zip(SERVICES, (slack_text, discord_text, telegram_text), strict=True):
        (asked,), _ = run(partial(deliver_all, to, [line], usual=usual))
        joined = expected.replace("|", JOINER) if "|" not in line else expected
        if "|" in line:
            assert text(asked).replace(JOINER, "|") == expected
        else:
            assert text(asked) == joined


BARE = re.compile(rf"(?<!\\)[@#/](?![\s{JOINER}]|$)", re.MULTILINE)
"""What a chat may still take for the beginning of something."""


def without_backslashes(escaped: str) -> str:
    return re.sub(r"\\(.)", r"\1", escaped)


@settings(max_examples=examples(20), deadline=None)
@given(st.lists(st.text(st.characters(codec="utf-8"), max_size=40), min_size=1, max_size=3))
def test_whatever_a_text_holds_it_is_read_as_it_was(texts: list[str]) -> None:
    """Without what makes it harmless it is the line that `message` makes."""
    lines = [line for line in map(message, texts) if line]
    readers: tuple[Callable[[str], str], ...] = (unescape, without_backslashes, str)
    for (to, usual), read in zip(SERVICES, readers, strict=True):
        posted = [text(each) for each in play(to, texts, usual=usual)[0]]
        assert "\n".join(read(each).replace(JOINER, "") for each in posted) == "\n".join(lines)
        assert not any(map(BARE.search, posted))
