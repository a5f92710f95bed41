"""`cgrx.sinks.webhook` against a real HTTP server: what is sent, and sent again."""

import base64
import hmac
import json
from email.utils import formatdate
from pathlib import Path
from typing import Any

import httpx
import pytest
import reactivex as rx
import trio

from cgrx import operators as ops
from cgrx.sinks import SinkStats, webhook
from cgrx.testing import liquidation, trade
from tests.docs import blocks
from tests.house.plan import ROOT
from tests.sinks.receivers import HANG_UP, Asked, Receiver, Reply, always, played, receiving
from tests.sinks.webhooks import EVENTS, KEY, NOW_S, RATE, SECRET, balanced, deliver_all, flow, sent, volumes
from tests.support import run, run_fast, run_mock


def test_what_is_mended_is_delivered() -> None:
    receiver, stats = run(lambda: deliver_all(Reply(404)))
    assert volumes(receiver) == [[1, 2, 3, 4]] * 2
    assert (stats.delivered, stats.error) == (4, None)


# What is sent


def test_a_batch_is_one_post_over_one_connection() -> None:
    receiver, stats = run(lambda: deliver_all(batch=2))
    assert volumes(receiver) == [[1, 2], [3, 4]]
    assert receiver.connections == 1
    assert {(asked.method, asked.target, asked.headers["content-type"]) for asked in receiver.asked} == {
        ("POST", "/hook", "application/json")
    }
    assert (stats.delivered, stats.batches, stats.retries, stats.error) == (4, 2, 0, None)


def test_items_of_all_kinds_are_told_apart() -> None:
    running, final, withdrawn = flow(1, final=False), flow(2), flow(1, withdrawn=True)
    crossed = ops.Cooled(ops.Crossing(final, "n", 2, 1.0, "above"), 3)
    joined = ops.Joined(liquidation("long"), trade("buy"), 5, "known")

    async def main() -> Any:
        async with receiving() as (receiver, url), sent(url, [withdrawn, running, final, crossed, joined, {"a": "b"}]):
            return receiver.asked[0].json

    assert run(main) == [
        withdrawn.asdict(),
        final.asdict(),
        {
            "item": {
                "item": final.asdict(),
                "field": "n",
                "value": 2,
                "level": 1.0,
                "direction": "above",
                "back": False,
            },
            "silenced": 3,
        },
        {"item": liquidation("long").asdict(), "latest": trade("buy").asdict(), "age_ms": 5, "quality": "known"},
        {"a": "b"},
    ]
    assert (withdrawn.asdict()["withdrawn"], final.asdict()["final"]) == (True, True)


def test_each_batch_has_an_id_of_its_own_though_its_content_came_before() -> None:
    async def main() -> list[str]:
        async with receiving() as (receiver, url), sent(url, [EVENTS[0]] * 3, batch=1):
            return [asked.headers["webhook-id"] for asked in receiver.asked]

    first = run(main)
    assert len(set(first)) == 3
    assert run(main) == first, "the same batches have the same ids"


def test_a_signature_verifies() -> None:
    receiver, _ = run(lambda: deliver_all(secret=SECRET, headers={"Authorization": "Bearer 123"}))
    (asked,) = receiver.asked
    content = f"{asked.headers['webhook-id']}.{asked.headers['webhook-timestamp']}.".encode() + asked.body
    expected = base64.b64encode(hmac.digest(KEY, content, "sha256")).decode()
    assert asked.headers["webhook-signature"] == f"v1,{expected}"
    assert asked.headers["authorization"] == "Bearer 123"


# What is sent again


@pytest.mark.parametrize(
    "trouble",
    [
        Reply(408),
        Reply(425),
        Reply(429),
        Reply(500, body=b"\xff<html>"),
        Reply(503, headers={"Retry-After": "never"}),
        HANG_UP,
        Reply(raw=b"HTTP/1.1 200"),
        Reply(raw=b"SSH-2.0-OpenSSH_9.6\r\n"),
        Reply(raw=b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n"),
    ],
    ids=repr,
)
def test_the_same_batch_is_sent_again_with_the_same_id(trouble: Reply) -> None:
    """Also where the server closes a connection that it had kept, just when it is used: the second request."""
    receiver, stats = run(lambda: deliver_all(Reply(), trouble, batch=2))
    assert volumes(receiver) == [[1, 2], [3, 4], [3, 4]]
    ids = [asked.headers["webhook-id"] for asked in receiver.asked]
    assert ids[0] != ids[1] == ids[2]
    assert (stats.delivered, stats.retries) == (4, 1)


def test_a_connection_that_was_closed_while_idle_is_not_used() -> None:
    receiver, stats = run(lambda: deliver_all(Reply(raw=b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"), batch=2))
    assert volumes(receiver) == [[1, 2], [3, 4]]
    assert (receiver.connections, stats.retries) == (2, 0)


@pytest.mark.parametrize(
    "answer",
    [
        Reply(204, body=b""),
        Reply(raw=b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\ncut off"),
        Reply(202, endless=True),
        Reply(200, headers={"Content-Encoding": "gzip"}, body=b"no gzip"),
        Reply(200, body=b"x" * 2**17),
    ],
    ids=repr,
)
def test_the_head_of_an_answer_decides(answer: Reply) -> None:
    receiver, stats = run(lambda: deliver_all(answer, batch=2))
    assert volumes(receiver) == [[1, 2], [3, 4]]
    assert (stats.delivered, stats.retries) == (4, 0)


@pytest.mark.parametrize(
    ("status", "headers", "waited_s"),
    [
        (429, {"Retry-After": "40"}, 40),
        (503, {"Retry-After": formatdate(NOW_S + 40, usegmt=True), "Date": formatdate(NOW_S, usegmt=True)}, 40),
        (503, {"Retry-After": formatdate(NOW_S, usegmt=True)}, 0.1),
        (429, {"Retry-After": "0"}, 0.1),
        (429, {"Retry-After": "86400"}, 300),
    ],
)
def test_retry_after_is_obeyed_within_bounds(status: int, headers: dict[str, str], waited_s: float) -> None:
    async def main() -> tuple[Receiver, SinkStats]:
        async with (
            played(Reply(status, headers)) as (receiver, url),
            webhook(url, rx.from_iterable(EVENTS)) as sink,
        ):
            await trio.sleep(310)
            return receiver, balanced(sink.stats)

    receiver, stats = run_mock(main)
    first, second = receiver.asked
    assert second.at_s - first.at_s == pytest.approx(waited_s)
    assert (stats.delivered, stats.retries) == (4, 1)


def test_a_server_that_asks_to_wait_is_not_left() -> None:
    receiver, stats = run(lambda: deliver_all(Reply(429, {"Retry-After": "0"})))
    first, second = receiver.asked
    assert first.connection == second.connection
    assert (stats.delivered, stats.retries) == (4, 1)


def test_a_silent_server_is_given_up_in_time() -> None:
    receiver, stats = run_fast(RATE, lambda: deliver_all(Reply(silent_s=100.0)))
    first, second = receiver.asked
    assert 10 <= second.at_s - first.at_s < 30
    assert (first.headers["webhook-id"], stats.delivered) == (second.headers["webhook-id"], 4)


def test_what_is_refused_as_data_is_found_and_the_rest_delivered(tmp_path: Path) -> None:
    def answer(asked: Asked) -> Reply:
        bad = any(each["volume_usd"] == 3 for each in asked.json)
        return Reply(422, body={"error": "no threes"}) if bad else Reply()

    async def main() -> tuple[Receiver, SinkStats, str]:
        async with (
            receiving(usual=answer) as (receiver, url),
            sent(url, EVENTS, dead_letters=tmp_path / "dead.jsonl") as sink,
        ):
            return receiver, balanced(sink.stats), url

    receiver, stats, url = run(main)
    assert volumes(receiver) == [[1, 2, 3, 4], [1, 2], [3, 4], [3], [4]]
    assert (stats.delivered, stats.dead) == (3, 1)
    letter = json.loads((tmp_path / "dead.jsonl").read_text("ascii"))
    assert letter["item"] == EVENTS[2].asdict()
    assert letter["reason"] == (
        f'{url} answers HTTP 422, saying \'{{"error": "no threes"}}\': it must take a JSON array of objects'
    )


@pytest.mark.parametrize("status", [400, 413])
def test_a_batch_that_is_too_much_is_halved(status: int) -> None:
    def answer(asked: Asked) -> Reply:
        return Reply(status if len(asked.json) > 2 else 200)

    async def main() -> tuple[Receiver, SinkStats]:
        async with receiving(usual=answer) as (receiver, url), sent(url, EVENTS) as sink:
            return receiver, balanced(sink.stats)

    receiver, stats = run(main)
    assert volumes(receiver) == [[1, 2, 3, 4], [1, 2], [3, 4]]
    assert (stats.delivered, stats.dead) == (4, 0)


def test_what_json_cannot_hold_is_refused_alone() -> None:
    async def main() -> SinkStats:
        async with receiving() as (_, url), sent(url, [EVENTS[0], object()]) as sink:
            return balanced(sink.stats)

    stats = run(main)
    assert (stats.delivered, stats.dead) == (1, 1)


def test_leaving_waits_no_longer_than_it_may() -> None:
    async def main() -> tuple[Receiver, SinkStats]:
        async with receiving(usual=always(Reply(silent_s=1000.0))) as (receiver, url):
            async with webhook(url, rx.from_iterable(EVENTS), every="1ms", drain="50ms") as sink:
                while not receiver.asked:  # noqa: ASYNC110 - as above
                    await trio.sleep(0.005)
            return receiver, balanced(sink.stats)

    receiver, stats = run(main)
    assert (len(receiver.asked), stats.dropped) == (1, 4)


def test_the_receiver_of_the_page_verifies_and_drops_repeats() -> None:
    names: dict[str, Any] = {}
    (source,) = (
        block.source for block in blocks.blocks(ROOT / "docs/delivery/webhook.md") if "FastAPI" in block.source
    )
    exec(source, names)
    assert names["SECRET"] == SECRET

    async def main() -> list[int]:
        async with (
            receiving() as (receiver, url),
            webhook(f"{url}/rows", rx.from_iterable(EVENTS), secret=SECRET, batch=2) as sink,
        ):
            await sink.flush()
        first, second = receiver.asked
        async with httpx.AsyncClient(transport=httpx.ASGITransport(names["app"]), base_url="http://receiver") as client:

            async def post(asked: Asked, body: bytes) -> int:
                return (await client.post(asked.target, content=body, headers=asked.headers)).status_code

            return [
                await post(first, first.body),
                await post(first, first.body),
                await post(second, second.body),
                await post(second, second.body.replace(b"4.0", b"5.0")),
            ]

    assert run(main) == [200, 200, 200, 401]
    assert [item["volume_usd"] for rows in names["stored"].values() for item in rows] == [1, 2, 3, 4]
