"""WebSocket URLs as values: what is read, what is refused, and that the key shows nowhere."""

import pickle
from urllib.parse import parse_qsl, urlsplit

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st

from cgrx._wire.address import Address, dial_tcp, parse_address
from tests.support import run
from tests.wire.wires import raw_server

KEY = "S3CRET55/+ key"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("ws://a.example", Address("a.example", 80, tls=False, resource="/")),
        ("wss://a.example", Address("a.example", 443, tls=True, resource="/")),
        ("WSS://A.Example:8443/x", Address("a.example", 8443, tls=True, resource="/x")),
        ("ws://127.0.0.1:8080/a/b?x=1&y=2", Address("127.0.0.1", 8080, tls=False, resource="/a/b?x=1&y=2")),
        ("ws://[::1]:8080/", Address("::1", 8080, tls=False, resource="/")),
        ("ws://a.example?x=1", Address("a.example", 80, tls=False, resource="/?x=1")),
        ("ws://a.example/?", Address("a.example", 80, tls=False, resource="/")),
        (
            "ws://bücher.example/käse?ü=ö",
            Address("xn--bcher-kva.example", 80, tls=False, resource="/k%C3%A4se?%C3%BC=%C3%B6"),
        ),
        ("ws://a.example/a%20b?c=%2F", Address("a.example", 80, tls=False, resource="/a%20b?c=%2F")),
    ],
)
def test_urls_are_read(url: str, expected: Address) -> None:
    assert parse_address(url) == expected


@pytest.mark.parametrize(
    ("url", "resource"),
    [
        ("wss://a.example/ws-api", "/ws-api?cg-api-key=S3CRET55%2F%2B%20key"),
        ("wss://a.example/ws-api?x=1&y=", "/ws-api?x=1&y=&cg-api-key=S3CRET55%2F%2B%20key"),
        ("wss://a.example/ws-api?cg-api-key=old&x=1", "/ws-api?x=1&cg-api-key=S3CRET55%2F%2B%20key"),
        ("wss://a.example/ws-api?cg%2Dapi-key=old&cg-api-key=older", "/ws-api?cg-api-key=S3CRET55%2F%2B%20key"),
    ],
)
def test_the_key_is_set(url: str, resource: str) -> None:
    """In place of one that is there; the other parameters keep their place."""
    assert parse_address(url, KEY).resource == resource


def test_without_a_key_the_urls_own_stays() -> None:
    assert parse_address("wss://a.example/?cg-api-key=my-own-key").resource == "/?cg-api-key=my-own-key"


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=8))
def test_any_key_arrives_as_it_is(key: str) -> None:
    """The server decodes the very key, and no character of it breaks the request line."""
    address = parse_address("wss://a.example/ws-api?x=1", key)
    assert parse_qsl(urlsplit(address.resource).query) == [("x", "1"), ("cg-api-key", key)]
    assert all("!" <= character <= "~" for character in address.resource)


@pytest.mark.parametrize(
    "url",
    [
        "http://a.example/S3CRET55?cg-api-key=S3CRET55",
        "a.example/ws?cg-api-key=S3CRET55",
        "//a.example/?cg-api-key=S3CRET55",
        "ws:a.example?cg-api-key=S3CRET55",
        "",
        "wss://",
        "wss:///ws-api?cg-api-key=S3CRET55",
        "wss://:443/?cg-api-key=S3CRET55",
        "wss://a.example:port/?cg-api-key=S3CRET55",
        "wss://a.example:65536/?cg-api-key=S3CRET55",
        "wss://a.example:-1/?cg-api-key=S3CRET55",
        "wss://a.example:0/?cg-api-key=S3CRET55",
        "wss://[::1/?cg-api-key=S3CRET55",
        "wss://a..example/?cg-api-key=S3CRET55",
        f"wss://{'a' * 64}.example/?cg-api-key=S3CRET55",
        "wss://user:S3CRET55@a.example/",
        "wss://S3CRET55@a.example/",
        "wss://user:S3C@RET@a.example/",
        "S3CRET55@a.example",
        "ftp:S3CRET55@a.example",
        "wss://a.example/#S3CRET55",
        "wss://a.example/?cg-api-key=S3CRET55#",
        "wss://a.example/?cg-api-key=S3CRET55\n",
        "wss://a.example/a b?cg-api-key=S3CRET55",
        " wss://a.example/?cg-api-key=S3CRET55",
        "wss://a.example/\x00?cg-api-key=S3CRET55",
    ],
)
def test_unusable_urls_are_refused(url: str) -> None:
    """Naming the argument and the accepted forms, but neither the query nor a password; not in the context either."""
    with pytest.raises(ValueError, match=r"(?s)^url='.*give ws://") as caught:
        parse_address(url)
    error: BaseException | None = caught.value
    while error is not None:
        assert "cg-api-key" not in repr(error)
        assert "S3C" not in repr(error).replace("a.example/S3CRET55", "")
        assert "RET@" not in repr(error)
        error = error.__context__


@pytest.mark.parametrize("url", [None, b"wss://a.example/?cg-api-key=S3CRET55", 5])
def test_a_url_is_a_str(url: str) -> None:
    with pytest.raises(ValueError, match=r"^url is of type \w+: give ws://") as caught:
        parse_address(url)
    assert "S3CRET55" not in str(caught.value)


@pytest.mark.parametrize("key", ["", "S3CRET5", b"S3CRET55", 5])
def test_a_key_is_a_str_that_can_be_hidden(key: str) -> None:
    """Of one with a letter each word of ours would be full of stars."""
    with pytest.raises(ValueError, match=r"^the API key must be a str of at least 8 characters") as caught:
        parse_address("wss://a.example", key)
    assert "S3CRET5" not in str(caught.value)


def test_a_key_in_a_url_can_be_hidden_too() -> None:
    with pytest.raises(ValueError, match=r"its API key has fewer than 8 characters") as caught:
        parse_address("wss://a.example/?cg-api-key=S3CRET5")
    assert "S3CRET5" not in str(caught.value)


def test_what_may_be_shown() -> None:
    """`repr` and `url` leave the query out; the value still compares and pickles whole."""
    address = parse_address("wss://a.example:8443/ws-api?x=1", KEY)
    assert address.url == "wss://a.example:8443/ws-api"
    assert repr(address) == "Address(host='a.example', port=8443, tls=True)"
    assert pickle.loads(pickle.dumps(address)) == address
    assert address != parse_address("wss://a.example:8443/ws-api?x=1", "another key")
    assert parse_address("ws://[::1]/").url == "ws://[::1]:80/"


@pytest.mark.parametrize(
    ("url", "header"),
    [
        ("ws://a.example", "a.example"),
        ("wss://a.example", "a.example"),
        ("wss://a.example:80", "a.example"),
        ("wss://a.example:8443", "a.example:8443"),
        ("ws://[::1]:8080", "[::1]:8080"),
        ("ws://[::1]", "[::1]"),
    ],
)
def test_the_host_header(url: str, header: str) -> None:
    """As trio-websocket writes it: no port for 80 and 443."""
    assert parse_address(url).host_header == header


def test_an_echo_of_the_key_is_redacted() -> None:
    """Decoded, as sent, and as it stood in a URL."""
    address = parse_address("wss://a.example/?x=1", KEY)
    said = "GET /?x=1&cg-api-key=S3CRET55%2F%2B%20key: bad key 'S3CRET55/+ key'"
    assert address.redact(said) == "GET /?x=1&cg-api-key=***: bad key '***'"
    assert parse_address("wss://a.example/?cg-api-key=abcdefg%41").redact("abcdefg%41 abcdefgA") == "*** ***"
    assert parse_address("wss://a.example/?x=1").redact("x=1") == "x=1"
    assert parse_address("wss://a.example/?cg-api-key=").redact("nothing") == "nothing"


def test_dialling_tcp() -> None:
    """A byte stream to the address, without TLS."""

    async def echo(stream: trio.SocketStream) -> None:
        await stream.send_all(await stream.receive_some())

    async def main() -> None:
        async with (
            raw_server(echo) as port,
            await dial_tcp(Address("127.0.0.1", port, tls=True, resource="/")) as stream,
        ):
            await stream.send_all(b"hello")
            assert await stream.receive_some() == b"hello"

    run(main)
