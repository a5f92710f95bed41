"""`--to postgresql://...` at a real server: the password as `psql` finds it, and tables that do not fit."""

import json
from pathlib import Path

import psycopg
import pytest

from cgrx._cli.terminal.exits import Exit
from tests.cli.delivering import replaying
from tests.cli.recordings import recorded
from tests.cli.rows import windowing
from tests.sinks.postgres_server import PASSWORD, SUPERUSER, Server
from tests.support import run

TEN = tuple((float(second), 10.0 * second) for second in range(1, 11))


def test_rows_in_a_table(postgres: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing table, and a wrong password, are one line and an exit code of their own."""
    url = f"postgresql://{SUPERUSER}@127.0.0.1:{postgres.port}/postgres?table=of_cli"
    folder, window = recorded(tmp_path / "a", *TEN), windowing("2s", by=("base_asset",))

    async def main() -> None:
        for password, target, expected, words in (
            ("wr0ng", url, Exit.REFUSED, "password"),
            (PASSWORD, url, Exit.REFUSED, 'primary key ("start_ms", "base_asset")'),
            (PASSWORD, f"{url}&create=true", Exit.DONE, "in 6, out 6"),
            (PASSWORD, url, Exit.DONE, "in 6, out 6"),
        ):
            monkeypatch.setenv("PGPASSWORD", password)
            exit_code, heard = await replaying(folder, target, window=window)
            assert exit_code == expected
            assert words in heard.last_words
            assert not heard.has_said(password)
        with psycopg.connect(postgres.dsn()) as connection:
            found = connection.execute("select start_ms, base_asset, volume from of_cli order by 1").fetchall()
            connection.execute("drop table of_cli")
        rows = [json.loads(line) for line in heard.lines]
        assert found == [(row["start_ms"], row["base_asset"], row["volume"]) for row in rows]

    run(main)
