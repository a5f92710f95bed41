"""Files that nobody can read as what they claim to be: one line says which file and which line, and nothing is left."""

import gzip
import json
from pathlib import Path

import pytest

import cgrx
from cgrx._cli.app import run
from cgrx._cli.terminal.exits import Exit
from cgrx._importing.rows import LINE_BYTES

HEADER = b"baseAsset,exName,symbol,side,price,volUsd,time\n"
GOOD = b"BTC,Binance,BTCUSDT,1,60000.5,12.5,1700000000000\n"
ROW = json.dumps(dict(zip(HEADER.decode().strip().split(","), GOOD.decode().strip().split(","), strict=True))).encode()


def imported(path: Path, content: bytes, capsys: pytest.CaptureFixture[str]) -> tuple[int, list[str]]:
    """The exit code of `cgrx import`, and its lines."""
    path.write_bytes(content)
    kind = ["--csv"] if path.suffix == ".csv" else []
    code = run(["import", str(path), "--to", str(path.with_name("to")), "--events", "trades", *kind])
    _, err = capsys.readouterr()
    assert "Traceback" not in err
    return code, err.splitlines()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b'"baseAsset,exName\n' + GOOD, "line 1: the names of its columns cannot be read: unexpected end of data"),
        (b'"baseAsset"x,exName\n', "line 1: the names of its columns cannot be read: ',' expected after '\"'"),
        (b'"' + GOOD * 100_000, "line 1: the names of its columns cannot be read: field larger than field limit"),
        (b"x" * 131_073 + b"," + HEADER + GOOD, "line 1: the names of its columns cannot be read: field larger"),
        (HEADER[:-1] + b",x" * LINE_BYTES + b"\n", "line 1: the names of its columns are longer than 1,048,576 bytes"),
        (HEADER.replace(b"price", b"pr\0ice"), "line 1: there is no column 'price' for price; its columns are"),
        (HEADER.replace(b"price", b"pr\xffice"), "line 1: there is no column 'price' for price; its columns are"),
        (b"x," * 1_000 + b"\n", "line 1: there is no column 'base_asset' or 'baseAsset' for base_asset"),
        (b"", "line 1: there is no column 'base_asset' or 'baseAsset' for base_asset; its columns are"),
    ],
    ids=range(9),
)
def test_a_header_that_is_none(tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes, reason: str) -> None:
    code, (line,) = imported(tmp_path / "a.csv", content, capsys)
    assert code == Exit.USAGE
    assert line.startswith(f"cgrx: {tmp_path / 'a.csv'}, {reason}")
    assert len(line) < 600
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]


def test_a_header_of_many_columns_is_shown_in_part(tmp_path: Path) -> None:
    """However long their names are."""
    (tmp_path / "a.csv").write_bytes(b",".join(b"x" * 1_000 for _ in range(500)) + b"\n")
    with pytest.raises(ValueError, match=r"and 480 more$") as caught:
        cgrx.import_csv(tmp_path / "a.csv", tmp_path / "to", events="trades")
    assert len(str(caught.value)) < 1_500


@pytest.mark.parametrize(
    ("row", "line", "reason"),
    [
        (GOOD.replace(b"BTCUSDT", b"x" * 131_073), 2, "field larger than field limit (131072)"),
        (GOOD.replace(b"BTCUSDT", b'"BTCUSDT'), 2, "unexpected end of data"),
        (GOOD.replace(b"60000.5", b"6\x000"), 2, "expected a number"),
        (GOOD.replace(b"60000.5", b"6\xff0"), 2, "expected a number"),
        (GOOD.replace(b"1700000000000", b"9" * 100_000), 2, "expected a number"),
        (GOOD.replace(b"12.5", b"1e999"), 2, "expected a"),
        (GOOD[:-1] + b"," * 1_100_000 + b"\n", 2, "longer than 1,048,576 bytes"),
    ],
    ids=range(7),
)
def test_a_row_that_is_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], row: bytes, line: int, reason: str
) -> None:
    """It is rejected alone, and the command names it; the others are imported."""
    code, lines = imported(tmp_path / "a.csv", HEADER + row, capsys)
    assert code == Exit.DONE
    assert lines[0].startswith(f"cgrx: rejected {tmp_path / 'a.csv'}, line {line}, at $")
    assert reason in lines[0]
    assert lines[-1].endswith("0 events of 0 channels in " + f"{tmp_path / 'to'}, 1 row rejected")


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"[" * 100_000 + b"]" * 100_000, "nested too deeply"),
        (b'{"symbol": ' * 80_000 + b"}" * 80_000, "nested too deeply"),
        (b'{"symbol": "' + b"x" * 8 * LINE_BYTES + b'"}', "longer than 1,048,576 bytes"),
        (ROW.replace(b"BTCUSDT", b"\xff\xfe"), "at $.symbol: "),
        (ROW.replace(b'"60000.5"', b"1" + b"0" * 5_000), "expected"),
        (b"\0", "not JSON"),
    ],
    ids=range(6),
)
def test_a_line_that_is_none(tmp_path: Path, capsys: pytest.CaptureFixture[str], line: bytes, reason: str) -> None:
    """It is rejected alone; the others are imported."""
    code, lines = imported(tmp_path / "a.jsonl", ROW + b"\n" + line + b"\n" + ROW + b"\n", capsys)
    assert code == Exit.DONE
    assert lines[0].startswith(f"cgrx: rejected {tmp_path / 'a.jsonl'}, line 2, at $")
    assert reason in lines[0]
    assert cgrx.Recording(tmp_path / "to").events == 2


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl"])
@pytest.mark.parametrize(
    "content", [gzip.compress(b"x" * 100)[:14], b"\x1f\x8b", b"\x1f\x8b" + b"?" * 50], ids=range(3)
)
def test_a_compressed_file_of_which_nothing_can_be_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, content: bytes
) -> None:
    code, (line,) = imported(tmp_path / name, content, capsys)
    assert code == Exit.FAILED
    assert line.startswith(f"cgrx: {tmp_path / name} cannot be read beyond line 0: ")
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_compressed_file_that_breaks_off(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What came before is in a recording that is whole; the line where it ended is named."""
    content = gzip.compress(b"".join(ROW.replace(b"12.5", b"%d.5" % n) + b"\n" for n in range(1, 2_000)))
    code, (line,) = imported(tmp_path / "a.jsonl", content[: len(content) // 2], capsys)
    events = cgrx.Recording(tmp_path / "to").events
    assert code == Exit.FAILED
    assert line.startswith(f"cgrx: {tmp_path / 'a.jsonl'} cannot be read beyond line {events}: ")
    assert events > 0
