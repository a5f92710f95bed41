"""The files of the page, read from the package once into a table: no path of a request is looked up on the disk."""

import gzip
import hashlib
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable

import attrs

TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    "": "text/plain; charset=utf-8",
}
"""By the end of the name; files of other kinds are not served. A licence has none."""


@attrs.frozen
class File:
    """One file of the page."""

    content: bytes
    compressed: bytes
    """The same by gzip, made once: a request costs the feed beside the board no time for it."""
    content_type: str
    etag: str
    """Another one for another content, compressed or not: who asks with it is told that nothing has changed."""


@cache
def page_files() -> dict[str, File]:
    """All files by their path in a URL, `/` for the page itself."""
    walked = _walk(files("cgrx._board") / "page", "")
    found = {f"/{name}": _file(name, each) for name, each in walked if _suffix(name) in TYPES}
    found["/"] = found.pop("/index.html")
    return found


def _walk(folder: Traversable, prefix: str) -> Iterator[tuple[str, Traversable]]:
    for each in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if each.is_dir():
            yield from _walk(each, f"{prefix}{each.name}/")
        else:
            yield prefix + each.name, each


def _file(name: str, each: Traversable) -> File:
    content = each.read_bytes()
    etag = f'W/"{hashlib.sha256(content).hexdigest()[:20]}"'
    return File(content, gzip.compress(content, mtime=0), TYPES[_suffix(name)], etag)


def _suffix(name: str) -> str:
    name = name.rpartition("/")[2]
    return name[name.rfind(".") :] if "." in name else ""
