"""The URL of a proxy as a value, and which one the environment asks for; a password is in no text."""

import pytest

from cgrx._wire.address import Address
from cgrx._wire.proxy import Proxy, environment_proxy, parse_proxy
from tests.feed.proxies import no_proxies

PASSWORD = "S3CRET"


@pytest.mark.parametrize(
    ("url", "proxy", "shown"),
    [
        ("http://a.example:3128", Proxy("http", "a.example", 3128), "http://a.example:3128"),
        ("HTTP://a.example/", Proxy("http", "a.example", 80), "http://a.example:80"),
        ("https://a.example", Proxy("https", "a.example", 443), "https://a.example:443"),
        ("socks5://[::1]", Proxy("socks5", "::1", 1080), "socks5://[::1]:1080"),
        ("socks5h://bücher.example", Proxy("socks5h", "xn--bcher-kva.example", 1080), None),
        ("http://u:S3CRET@h:1", Proxy("http", "h", 1, "u", PASSWORD), "http://h:1"),
        ("http://u:a%40%3a%C3%BC@h:1", Proxy("http", "h", 1, "u", "a@:ü"), "http://h:1"),
        ("http://u@h:1", Proxy("http", "h", 1, "u", ""), "http://h:1"),
        ("socks5://u:S3CRET@h", Proxy("socks5", "h", 1080, "u", PASSWORD), "socks5://h:1080"),
    ],
)
def test_the_forms_of_a_proxy(url: str, proxy: Proxy, shown: str | None) -> None:
    """Shown without user and password."""
    found = parse_proxy(url)
    assert found == proxy
    assert shown is None or str(found) == shown
    assert PASSWORD not in f"{found} {found!r}"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "a.example:3128",
        "u:S3CRET@a.example:3128",
        "socks4://a.example:1080",
        "S3CRET://a.example",
        "http://",
        "http://:3128",
        "http://u:S3CRET@",
        "http://a.example:S3CRET",
        "http://a.example:0",
        "http://a.example:65536",
        "http://a..example",
        "http://[S3CRET",
        "http://a.example:3128/S3CRET",
        "http://a.example:3128?S3CRET",
        "http://u:S3#CRET@a.example:3128",
        "http://u:S3 CRET@a.example",
        "http://u:S3\nCRET@a.example",
        "http://:S3CRET@a.example",
        "http://u%3a:S3CRET@a.example",
        "http://u:S3CRET%E2%82%AC@a.example",
        "socks5://u@a.example",
        "socks5://:S3CRET@a.example",
        "socks5://u:S3CRET%C3%BC@a.example",
        f"socks5://u:S3CRET{'x' * 250}@a.example",
        f"socks5://{'x' * 256}:S3CRET@a.example",
        b"http://u:S3CRET@a.example",
        3128,
    ],
    ids=repr,
)
def test_other_forms_are_refused(url: str) -> None:
    """The message says what is accepted, and shows nothing of the value, any part of which may be a password."""
    with pytest.raises(ValueError, match=r"^proxy cannot be used: .*; give \"http://\[user:password@\]host") as caught:
        parse_proxy(url)
    assert "S3" not in str(caught.value)
    assert "CRET" not in str(caught.value)
    assert caught.value.__context__ is None


WSS = Address("open.example", 443, tls=True, resource="/")
WS = Address("open.example", 80, tls=False, resource="/")


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    no_proxies(monkeypatch)


@pytest.mark.parametrize("lower", [False, True])
@pytest.mark.parametrize(
    ("variables", "for_wss", "for_ws"),
    [
        ({}, None, None),
        ({"HTTPS_PROXY": "s"}, ("HTTPS_PROXY", "s"), None),
        ({"HTTP_PROXY": "h"}, None, ("HTTP_PROXY", "h")),
        ({"ALL_PROXY": "a"}, ("ALL_PROXY", "a"), ("ALL_PROXY", "a")),
        ({"HTTPS_PROXY": "s", "ALL_PROXY": "a"}, ("HTTPS_PROXY", "s"), ("ALL_PROXY", "a")),
        ({"HTTPS_PROXY": "s", "NO_PROXY": "example"}, None, None),
        ({"HTTPS_PROXY": "s", "NO_PROXY": "open.example:443"}, None, None),
        ({"HTTPS_PROXY": "s", "NO_PROXY": "*"}, None, None),
        ({"HTTPS_PROXY": "s", "NO_PROXY": "other.example"}, ("HTTPS_PROXY", "s"), None),
    ],
)
def test_the_proxy_of_the_environment(
    monkeypatch: pytest.MonkeyPatch,
    variables: dict[str, str],
    for_wss: tuple[str, str] | None,
    for_ws: tuple[str, str] | None,
    *,
    lower: bool,
) -> None:
    """As other programs read the variables, in either case of letters."""
    for name, value in variables.items():
        monkeypatch.setenv(name.lower() if lower else name, value)
    assert environment_proxy(WSS) == for_wss
    assert environment_proxy(WS) == for_ws


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.8.8.8", "::1"])
def test_no_proxy_leads_to_this_machine(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    monkeypatch.setenv("ALL_PROXY", "http://a.example")
    assert environment_proxy(Address(host, 8765, tls=False, resource="/")) is None
    assert environment_proxy(Address("10.0.0.1", 8765, tls=False, resource="/")) is not None
