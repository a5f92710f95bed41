"""A stand-in for an object store, with as much of the protocol of S3 as the broker of the tests speaks.

The broker keeps its log there, as others keep it on disk. So the log outlives the broker. Credentials are not checked,
and a list is never cut into pages. Source: the reference of Amazon S3, of PutObject, GetObject and ListObjectsV2.
"""

import hashlib
import threading
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

import attrs

BUCKET = "tansu"


@attrs.frozen
class Stored:
    """An object."""

    data: bytes
    at_s: float
    """When it was written, on a clock that counts: of two objects this broker takes the later one for its log's end."""

    @property
    def etag(self) -> str:
        return f'"{hashlib.md5(self.data, usedforsecurity=False).hexdigest()}"'


class ObjectStore:
    """Objects in memory, by their paths."""

    def __init__(self) -> None:
        self._objects: dict[str, Stored] = {}
        self._busy = threading.Lock()
        self.port = 0

    @property
    def settings(self) -> Mapping[str, str]:
        """Of the environment of a client."""
        return {
            "AWS_ENDPOINT": f"http://127.0.0.1:{self.port}",
            "AWS_ALLOW_HTTP": "true",
            "AWS_ACCESS_KEY_ID": "nobody",
            "AWS_SECRET_ACCESS_KEY": "nothing",
            "AWS_DEFAULT_REGION": "us-east-1",
        }

    def put(self, path: str, data: bytes, headers: Mapping[str, str]) -> Stored | None:
        """Write an object, unless it is another one than the writer takes it for."""
        with self._busy:
            there = self._objects.get(path)
            wanted = headers.get("if-match")
            if (headers.get("if-none-match") and there) or (wanted and (there is None or there.etag != wanted)):
                return None
            latest = max((each.at_s for each in self._objects.values()), default=0.0)
            stored = self._objects[path] = Stored(data, latest + 1.0)
            return stored

    def get(self, path: str) -> Stored | None:
        return self._objects.get(path)

    def listed(self, prefix: str) -> str:
        """The objects whose names begin so, as XML."""
        with self._busy:
            found = {path.removeprefix(f"/{BUCKET}/"): stored for path, stored in sorted(self._objects.items())}
        listed = "".join(
            f"<Contents><Key>{escape(key)}</Key><ETag>{escape(stored.etag)}</ETag><Size>{len(stored.data)}</Size>"
            f"<LastModified>{datetime.fromtimestamp(stored.at_s, UTC).isoformat()}</LastModified></Contents>"
            for key, stored in found.items()
            if key.startswith(prefix)
        )
        return f"<ListBucketResult><Name>{BUCKET}</Name><IsTruncated>false</IsTruncated>{listed}</ListBucketResult>"


class _Requests(BaseHTTPRequestHandler):
    """Answers the requests of one connection."""

    protocol_version = "HTTP/1.1"
    store: ObjectStore

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name of the standard library
        """Nothing is logged."""

    def handle(self) -> None:
        try:
            super().handle()
        except ConnectionError:  # the broker was killed
            self.close_connection = True

    def do_PUT(self) -> None:
        data = self.rfile.read(int(self.headers["Content-Length"]))
        stored = self.store.put(self._path, data, dict(self.headers))
        if stored is None:
            self._answer(412)
        else:
            self._answer(200, etag=stored.etag)

    def do_GET(self) -> None:
        query = parse_qs(urlsplit(self.path).query)
        if "list-type" in query:
            self._answer(200, self.store.listed(query.get("prefix", [""])[0]).encode())
            return
        stored = self.store.get(self._path)
        if stored is None:
            self._answer(404)
        else:
            self._answer(200, stored.data, etag=stored.etag, last_modified=self.date_time_string(int(stored.at_s)))

    @property
    def _path(self) -> str:
        return unquote(urlsplit(self.path).path)

    def _answer(self, code: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(code)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def object_store() -> Generator[ObjectStore]:
    """A store on a free port, in threads of this process."""
    store = ObjectStore()
    with ThreadingHTTPServer(("127.0.0.1", 0), type("Requests", (_Requests,), {"store": store})) as server:
        store.port = server.server_port
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield store
        finally:
            server.shutdown()
            thread.join()
