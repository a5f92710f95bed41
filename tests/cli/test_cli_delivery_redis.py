"""`--to redis://...` at a real server: what arrives, and who is refused."""

import json
from pathlib import Path

import pytest

from cgrx._cli.terminal.exits import Exit
from tests.cli.delivering import replaying
from tests.cli.recordings import recorded
from tests.sinks.redis_server import RedisServer
from tests.support import run

THREE = ((1.0, 10.0), (2.0, 20.0), (3.0, 30.0))


def test_a_password_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong one is one line and an exit code of its own; neither is shown."""
    (tmp_path / "redis").mkdir()
    server = RedisServer(tmp_path / "redis", "--requirepass", "sesame")
    folder = recorded(tmp_path / "a", *THREE)

    async def main() -> None:
        await server.start()
        for password, expected in (("wr0ng", Exit.REFUSED), ("sesame", Exit.DONE)):
            monkeypatch.setenv("HERE", server.url.replace("//", f"//:{password}@"))
            exit_code, heard = await replaying(folder, "env:HERE")
            assert exit_code == expected
            assert not heard.has_said(password)
            assert len(heard.lines) == (0 if expected else 3)
            assert heard.last_words.startswith("--to env:HERE: " if expected else "redis liquidations at 127.0.0.1:")
        entries = await server.entries("liquidations", "sesame")
        assert [json.loads(entry["json"]) for entry in entries] == list(map(json.loads, heard.lines))

    try:
        run(main)
    finally:
        server.kill()
