"""`cgrx.sinks.webhook` where a server refuses, does not answer or is another one; and what nobody may see."""

import logging
from pathlib import Path
from typing import Any

import pytest
import reactivex as rx
import trio

import cgrx
from cgrx.sinks import SinkStats, webhook
from tests.feed.certificates import EXPIRED, Authority
from tests.sinks.receivers import HANG_UP, Answering, Asked, Receiver, Reply, always, receiving
from tests.sinks.webhooks import EVENTS, KEY, NONE, RATE, SECRET, TOKEN, balanced, held, sent
from tests.support import run, run_fast

# What is held


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (Reply(401), "SinkRefusedError: U answers HTTP 401, saying 'ok': see to the URL and the headers"),
        (Reply(403), "SinkRefusedError: U answers HTTP 403, saying 'ok': see to the URL and the headers"),
        (Reply(404, body=b""), "SinkRefusedError: U answers HTTP 404: see to the URL and the headers"),
        (Reply(410), "SinkRefusedError: U answers HTTP 410, saying 'ok': see to the URL and the headers"),
        (
            Reply(301, {"Location": "https://elsewhere.example/to/a/place"}),
            (
                "SinkRefusedError: U redirects to https://elsewhere.example (HTTP 301), where no data is sent unasked:"
                " give that URL"
            ),
        ),
        (
            Reply(307, {"Location": "/other"}),
            "SinkRefusedError: U redirects (HTTP 307), where no data is sent unasked: give that URL",
        ),
        (
            Reply(302, {"Location": "http://["}),
            "SinkRefusedError: U redirects (HTTP 302), where no data is sent unasked: give that URL",
        ),
        (
            Reply(500, body=b"a\n  b \x1b[31m" + b"x" * 5000),
            "SinkUnavailableError: U answers HTTP 500, saying " + repr("a b \\x1b[31m" + "x" * 187 + "…"),
        ),
        (HANG_UP, "SinkUnavailableError: U: it closed the connection before its answer, or answers no HTTP"),
    ],
    ids=repr,
)
def test_a_refusal_names_the_thing_and_the_remedy(answer: Reply, why: str) -> None:
    async def main() -> tuple[str, str]:
        async with receiving(usual=always(answer)) as (_, url):
            return await held(f"{url}/hook"), url

    found, url = run(main)
    assert found == why.replace(" U", f" {url}", 1)


def test_nobody_listens() -> None:
    async def main() -> tuple[str, str]:
        async with receiving() as (_, url):
            pass
        return await held(url), url

    found, url = run(main)
    assert found == f"SinkUnavailableError: cannot reach {url}: Connection refused"


def test_slow_connections_and_requests_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """A host that does not answer at all cannot be had on loopback: the stream is one that stands still."""

    async def stand_still(*args: object, **options: object) -> None:
        await trio.sleep_forever()

    with monkeypatch.context() as patched:
        patched.setattr(trio, "open_tcp_stream", stand_still)
        found = run_fast(RATE, lambda: held("http://127.0.0.1:9"))
    assert found == "SinkUnavailableError: http://127.0.0.1:9: no connection within 5 s"
    with monkeypatch.context() as patched:
        patched.setattr(trio.SocketStream, "send_all", stand_still)

        async def main() -> str:
            async with receiving() as (_, url):
                return (await held(url)).replace(url, "U")

        assert run_fast(RATE / 2, main) == "SinkUnavailableError: U: it has not taken the request for 5 s"


# TLS


def test_a_certificate_of_an_authority_of_ones_own() -> None:
    authority = Authority()

    async def main() -> SinkStats:
        async with (
            receiving(ssl_context=authority.server()) as (receiver, url),
            sent(url, EVENTS, ssl_context=authority.client(), batch=2) as sink,
        ):
            assert receiver.connections == 1
            return balanced(sink.stats)

    assert run(main).delivered == 4


@pytest.mark.parametrize(
    ("names", "not_after", "trusted", "why"),
    [
        (("127.0.0.1",), None, False, "unable to get local issuer certificate"),
        (("127.0.0.1",), EXPIRED, True, "certificate has expired"),
        (("elsewhere.example",), None, True, "IP address mismatch, certificate is not valid for '127.0.0.1'"),
    ],
)
def test_no_data_goes_to_a_server_whose_certificate_does_not_verify(
    names: tuple[str, ...], not_after: Any, trusted: bool, why: str
) -> None:
    authority = Authority(names, not_after)

    async def main() -> tuple[Receiver, str]:
        async with receiving(ssl_context=authority.server()) as (receiver, url):
            found = await held(url, ssl_context=authority.client() if trusted else None)
            return receiver, found.replace(url, "U")

    receiver, found = run(main)
    assert receiver.asked == []
    assert found.startswith(f"SinkRefusedError: the certificate of U does not verify ({why}")
    assert found.endswith("give ssl_context=, which trusts its authority, or see to the server")


def test_a_server_without_tls() -> None:
    async def main() -> str:
        async with receiving(Reply(raw=b"")) as (_, url):
            return await held(url.replace("http:", "https:"))

    assert run(main).startswith("SinkUnavailableError: no TLS with https://127.0.0.1:")


# Secrets


def echo(asked: Asked) -> Reply:
    return Reply(400, body=f"{asked.target} {asked.headers} {TOKEN}".encode())


@pytest.mark.parametrize(
    "usual",
    [
        echo,
        always(Reply(404, body=f"no {TOKEN[:12]} here".encode())),
        always(Reply(302, {"Location": f"https://{TOKEN}.example/{TOKEN}"})),
        always(Reply(raw=f"{TOKEN}\r\n".encode())),
        always(Reply(raw=f"HTTP/1.1 200 OK\r\n{TOKEN}\r\n\r\n".encode())),
    ],
)
def test_secrets_are_in_no_log_error_or_repr(
    usual: Answering, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    caplog.set_level(logging.DEBUG)
    shown: list[object] = []

    async def main() -> None:
        async with receiving(usual=usual) as (receiver, url):
            target = f"{url}/{TOKEN}?key={TOKEN}&q=%C3%A9"
            options: Any = {"headers": {"Authorization": f"Bearer {TOKEN}x"}, "secret": SECRET, "drain": "20ms"}
            context = webhook(target, rx.from_iterable(EVENTS), every="1ms", dead_letters=tmp_path / "dead", **options)
            async with context as sink:
                while sink.stats.error is None and not sink.stats.dead:  # noqa: ASYNC110 - as above
                    await trio.sleep(0.005)
                error = sink.stats.error
                shown.extend([context, sink, sink.name, sink.stats, error, vars(error or sink)])
                shown.extend([error and error.__context__, error and error.__cause__])
            assert receiver.asked[0].target == f"/{TOKEN}?key={TOKEN}&q=%C3%A9"

    run(main)
    dead = tmp_path / "dead"
    text = "\n".join([*map(repr, shown), *map(str, shown), caplog.text, dead.read_text("ascii")])
    assert "http://127.0.0.1:" in text
    for part in (TOKEN[:8], SECRET[6:14], KEY.decode()[:8]):
        assert part not in text


# Mistakes


@pytest.mark.parametrize(
    ("url", "why"),
    [
        (None, "it is of type NoneType"),
        ("http://[s3cr3t", "its host or its port cannot be read"),
        ("http://host:s3cr3t/", "its host or its port cannot be read"),
        ("ftp://host/s3cr3t", "its scheme is neither https nor http"),
        ("host/s3cr3t", "its scheme is neither https nor http"),
        ("https://host/s3 cr3t", "it holds white space or control characters, or more than 8192 characters"),
        ("https://host/" + "s3cr3t" * 2000, "it holds white space or control characters, or more than 8192 characters"),
        ("https://me:s3cr3t@host/", "it holds a user or a password (a header can hold them)"),
        ("https://host/#s3cr3t", "it holds a fragment"),
        ("https:///s3cr3t", "it names no host, or one that is no valid name, or port 0"),
        ("https://host:0/s3cr3t", "it names no host, or one that is no valid name, or port 0"),
    ],
)
def test_a_url_that_cannot_be_used(url: Any, why: str) -> None:
    with pytest.raises(ValueError, match="url cannot be used") as caught:
        webhook(url, NONE)
    assert str(caught.value) == (
        f"url cannot be used: {why};"
        " give https://host[:port]/path[?query] as a str, without user, password and fragment"
    )


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ({"headers": {"a b": "s3cr3t"}}, "headers= has 'a b', which is no name of a header"),
        ({"headers": {"Content-Length": "5"}}, "headers= has 'content-length', which each request says for itself"),
        ({"headers": {"": "s3cr3t"}}, "headers= has '', which is no name of a header"),
        ({"headers": {"X-Key": "s3cr3t\r\nX: y"}}, r"headers\['x-key'\] cannot be sent: give printable ASCII"),
        ({"secret": KEY}, 'secret= is not "whsec_" and 24 to 64 bytes in base64'),
        ({"secret": "s3cr3t"}, 'secret= is not "whsec_" and 24 to 64 bytes in base64'),
        ({"secret": "whsec_s3cr3t!"}, 'secret= is not "whsec_" and 24 to 64 bytes in base64'),
        ({"secret": "whsec_czNjcjN0"}, 'secret= is not "whsec_" and 24 to 64 bytes in base64'),
    ],
)
def test_arguments_that_cannot_be_used(arguments: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=why) as caught:
        webhook("https://host.example/", NONE, **arguments)
    assert "s3cr3t" not in str(caught.value)


def test_outside_trio() -> None:
    with pytest.raises(cgrx.NotInTrioError, match=r"cgrx\.sinks\.webhook"):
        webhook("https://host.example/", NONE)


def test_without_httpx(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        """No such package."""

    monkeypatch.setattr("cgrx._extras.find_spec", missing)
    with pytest.raises(ImportError, match=r'needs the package httpx: pip install "cgrx\[webhook\]"'):
        webhook("https://host.example/", NONE)
