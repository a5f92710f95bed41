"""`--config`: what a file of options does, and that each mistake in it is one line with its place."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cgrx import API_KEY_VARIABLE
from cgrx._cli.alert_options import AlertOptions
from cgrx._cli.app import app, run
from cgrx._cli.config import ConfigFile
from cgrx._cli.options import FileOptions, ReplayOptions, WatchOptions
from cgrx._cli.terminal.exits import CommandError, Exit
from cgrx._cli.toml import LIMIT_BYTES, read_toml
from cgrx._cli.window_options import LiquidationOptions, WindowOptions
from tests.house import plan

Captured = pytest.CaptureFixture[str]
Write = Callable[[str], Path]


@pytest.fixture(autouse=True)
def _no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(API_KEY_VARIABLE, raising=False)


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Writes `conf/a.toml`, and gives its path, relative to the working directory."""
    (tmp_path / "conf").mkdir()
    monkeypatch.chdir(tmp_path)

    def write(text: str) -> Path:
        path = Path("conf/a.toml")
        path.write_text(text, encoding="utf-8")
        return path

    return write


def parsed(*arguments: str) -> dict[str, Any]:
    """What a command gets from these arguments, without `settings`."""
    app.config = (ConfigFile(),)
    _, bound, *_ = app.parse_args(arguments, exit_on_error=False, print_error=False)
    found = dict(bound.arguments)
    assert isinstance(found.pop("settings"), FileOptions)
    return found


WATCH = """
# Large liquidations, by the minute.
side = "long"
min-volume = 250_000
max-volume = "1.5M"
exchange = ["Binance", "OKX"]
base-asset = "BTC"
format = 'jsonl'
escape-formulas = false
seconds = inf
count = 7
url = "ws://127.0.0.1:1/"
window = "1m"
by = ["exchange,symbol", "side"]
running = true
"""


def test_a_file_gives_options_by_their_names(write: Write) -> None:
    path = write(WATCH)
    assert parsed("watch", "liquidations", "--config", str(path)) == {
        "side": "long",
        "options": WatchOptions(
            min_volume=250_000,
            max_volume=1.5e6,
            exchange=("Binance", "OKX"),
            base_asset=("BTC",),
            format="jsonl",
            count=7,
            url="ws://127.0.0.1:1/",
        ),
        "windows": LiquidationOptions(window="1m", by=("exchange", "symbol", "side"), running=True),
    }


def test_the_command_line_wins(write: Write) -> None:
    """A list of it takes the place of that in the file; `--running=false` takes back what the file says."""
    path = write(WATCH)
    arguments = ["--min-volume", "1M", "--exchange", "Gate", "--running=false", "--side", "short"]
    found = parsed("watch", "liquidations", *arguments, "--config", str(path))
    assert found["side"] == "short"
    assert found["options"].min_volume == 1e6
    assert found["options"].exchange == ("Gate",)
    assert found["options"].count == 7
    assert not found["windows"].running


@pytest.mark.parametrize(
    ("command", "text", "name", "values"),
    [
        ("record", 'channels = ["liquidations", "trades:Binance:BTCUSDT:10k"]\nto = "day"', "channels", 2),
        ("watch trades", 'markets = ["Binance:BTCUSDT:10k", "OKX:BTC-USDT-SWAP:10k"]', "markets", 2),
        ("replay liquidations", 'folders = ["monday", "/tuesday"]', "folders", 2),
        ("import", 'files = "a.jsonl"\nto = "x"\nevents = "trades"', "files", 1),
    ],
)
def test_what_has_no_name_on_the_command_line(command: str, text: str, name: str, values: int, write: Write) -> None:
    path = write(text)
    assert len(parsed(*command.split(), "--config", str(path))[name]) == values


def test_paths_begin_at_the_folder_of_the_file(write: Write) -> None:
    """Wherever the command is run; those of the command line begin where it is run, as ever."""
    path = write('folders = ["monday", "/tuesday"]\nfrom = 2024-08-09T00:00:05Z\nuntil = 2024-08-10')
    assert parsed("replay", "liquidations", "--config", str(path)) == {
        "folders": (Path("conf/monday"), Path("/tuesday")),
        "options": ReplayOptions(start="2024-08-09T00:00:05+00:00", end="2024-08-10"),
    }
    assert parsed("replay", "liquidations", "x", "--config", str(path))["folders"] == (Path("x"),)


def test_targets_that_are_paths_begin_there_too(write: Write) -> None:
    texts = ["out/", "/abs/*.parquet", "duckdb:a.db?table=x", "redis://h/0", "env:NAME", "slack:"]
    texts += ["command:./notify.sh 'a b'", "command:notify a/b", "command:/x", "bell", "x"]
    path = write(f"to = {texts}")
    found = parsed("demo", "--config", str(path))["targets"].to
    assert found == (
        "conf/out/",
        "/abs/*.parquet",
        "duckdb:conf/a.db?table=x",
        *texts[3:6],
        "command:conf/notify.sh 'a b'",
        *texts[7:],
    )


def test_alerts_from_a_file(write: Write) -> None:
    """With amounts as people write them."""
    path = write(
        'window = "1m"\nby = "base_asset"\nabove = "5M"\nreturn = 4_000_000\ndry-run = ["a", "/b"]\nto = "bell"'
    )
    found = parsed("alert", "liquidations", "--config", str(path))
    assert found["alerts"] == AlertOptions(
        window="1m", by=("base_asset",), above=5e6, back=4e6, dry_run=(Path("conf/a"), Path("/b"))
    )
    assert found["targets"].to == ("bell",)


def test_a_target_with_a_secret_is_refused(write: Write, capsys: Captured) -> None:
    path = write('to = ["redis://:s3cret@h/0"]')
    assert run(["demo", "--config", str(path)]) == Exit.USAGE
    err = capsys.readouterr().err
    assert err.startswith("cgrx: conf/a.toml:1: a password in --to can be seen by every user of this machine")
    assert "s3cret" not in err


def test_a_command_runs_with_a_file(write: Write, capsys: Captured) -> None:
    path = write('seconds = 0.1\nport = 0\nkey = ["made-up"]\ngeneration = 2\n')
    assert run(["simulate", "--config", str(path)]) == Exit.DONE
    assert "1 key accepted" in capsys.readouterr().err


def test_every_command_that_does_work_takes_a_file(capsys: Captured) -> None:
    for command in ("demo", "watch trades", "replay trades", "alert trades", "record", "simulate", "import"):
        assert run([*command.split(), "--help"]) == Exit.DONE
        assert "--config" in capsys.readouterr().out


def test_the_example_of_the_documentation(write: Write, capsys: Captured) -> None:
    """It gives what it says, and its mistakes are said as they are printed there."""
    page = (plan.ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    path = write(example)
    found = parsed("watch", "trades", "--config", str(path))
    assert found["markets"] == ("Binance:BTCUSDT:10k", "OKX:BTC-USDT-SWAP:10k")
    assert found["options"] == WatchOptions(min_volume=250_000, format="jsonl")
    assert found["windows"] == WindowOptions(window="1m", by=("exchange", "symbol"))
    for right, wrong in (("min-volume", "min_volume"), ('"1m"', '"soon"')):
        write(example.replace(right, wrong))
        assert run(["watch", "trades", "--config", str(path)]) == Exit.USAGE
        assert capsys.readouterr().err.replace("conf/a.toml", "large.toml") in page


# --- mistakes -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("command", "text", "said"),
    [
        # Names.
        ("demo", "\n\nmin_volume = 5", "3: min_volume is no option of `cgrx demo`: see `cgrx demo --help`"),
        ("import", "min_volume = 5", "1: min_volume is no option of `cgrx import`: did you mean min-volume?"),
        (
            "watch trades",
            "min_volume = 5",
            "1: min_volume is no option of `cgrx watch trades`: did you mean min-volume or",
        ),
        ("demo", 'config = "b.toml"', "1: config is no option of"),
        ("demo", "help = true", "1: help is no option of"),
        ("demo", "[demo]\nseconds = 1", "1: demo is a table: a file holds the options of one command"),
        ("demo", "# x\n[[demo]]", "2: demo is a table: a file holds"),
        ("demo", "seconds.x = 1", "1: seconds takes a number: a list or a table is none"),
        ("demo", '"a\\u001bb" = 1', "1: a\\x1bb is no option of"),
        # Types.
        ("demo", "seconds = 1\nrate = true", '2: rate takes a number, or an amount such as "250k": true is none'),
        ("demo", "seconds = true", "1: seconds takes a number: true is none"),
        ("demo", "seed = 1.5", "1: seed takes a whole number: 1.5 is none"),
        ("demo", "window = 60", "1: window takes a text in quotes: 60 is none"),
        ("demo", 'window = "1m"\nrunning = "yes"', "2: running takes true or false: 'yes' is none"),
        ("demo", "window = 10:00:00", "1: window takes a text in quotes: 10:00:00 is none"),
        ("demo", "rate = [5]", "1: rate takes one value, and no list"),
        ("demo", 'fault = ["drop",\n  5]', "1: fault takes a text in quotes: 5 is none"),
        ("demo", "fault = [[]]", "1: fault takes a text in quotes: a list or a table is none"),
        ("watch liquidations", "min-volume = true", "1: min-volume takes a number, or an amount such as"),
        ("simulate", "file = 5", "1: file takes a path in quotes"),
        ("simulate", 'generation = "1"', "1: generation takes a whole number"),
        # Values: each is said as on the command line, where some of the words are the CLI library's.
        ("demo", "\nseconds = 0", "2: Invalid value "),
        ("demo", 'window = "soon"', "1: --window soon cannot be used: give a duration such as 250ms"),
        ("demo", '#\n#\nby = "exchnage"', "3: Invalid value for by: 'exchnage' is no field of every event"),
        ("demo", 'window = "1m"\nevery = "2m"', "2: --every 2m is more than --window 1m"),
        ("demo", "seconds = 1\nrunning = true", "2: --running says which rows a window gives"),
        ("demo", 'seconds = 1\nfault = """\\\n  boom"""', "2: 'boom' is not a fault"),
        ("watch liquidations", 'min-volume = "2,5"', "1: Invalid value for min-volume: '2,5' is no amount"),
        (
            "watch liquidations",
            "min-volume = -1",
            "1: Invalid value ",
        ),
        ("watch liquidations", "min-volume = nan", "1: Invalid value "),
        ("watch liquidations", 'side = "buy"', "1: Invalid value "),
        ("watch liquidations", 'exchange = ""', "1: exchange('',) takes one or more texts that are not empty"),
        ("watch liquidations", 'url = "nonsense"', "1: url='nonsense' cannot be used"),
        ("watch trades", 'markets = ["Binance"]', "1: markets: 'Binance' is no instrument"),
        ("record", 'to = "x"\nchannels = "liqu"', "2: channels: 'liqu' is no channel"),
        ("simulate", 'file = "x.jsonl"\nrate = 5', "2: --rate and --seed are for a made-up market"),
        ("simulate", "port = 65536", "1: Invalid value "),
        # No TOML.
        ("demo", "seconds = 1\nrate =", "2: this is no TOML: Invalid value at the end"),
        ("demo", "seconds = 1\nrate = x", "2: this is no TOML: Invalid value at column 8"),
        ("demo", "seconds = 1\n\nseconds = 2", "3: this is no TOML: Cannot overwrite a value"),
    ],
)
def test_a_mistake_is_one_line_with_its_place(
    command: str, text: str, said: str, write: Write, capsys: Captured
) -> None:
    path = write(text)
    assert run([*command.split(), "--config", str(path)]) == Exit.USAGE
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"cgrx: {path}:{said}")
    assert err.count("\n") == 1
    assert err.count(f"{path}:") == 1


def test_a_mistake_of_the_command_line_has_no_place(write: Write, capsys: Captured) -> None:
    path = write("seconds = 1\nrate = 5")
    for arguments in (["--rate", "0"], ["--fault", "boom"], ["--window", "soon"], ["--nope"], ["--rat", "5"]):
        assert run(["demo", *arguments, "--config", str(path)]) == Exit.USAGE
        assert str(path) not in capsys.readouterr().err


def test_two_mistakes_are_told_as_the_first(write: Write, capsys: Captured) -> None:
    """The values before it are not taken for what a later mistake is about."""
    path = write('window = "soon"\nevery = "soon"\nseconds = "soon"')
    assert run(["demo", "--config", str(path)]) == Exit.USAGE
    assert capsys.readouterr().err == f"cgrx: {path}:3: seconds takes a number: 'soon' is none\n"


@pytest.mark.parametrize("name", ["api-key", "api_key", "COINGLASS_API_KEY", "key", "token"])
def test_no_key_in_a_file(name: str, write: Write, capsys: Captured) -> None:
    """The line says where the key is read from, and does not repeat it."""
    path = write(f'side = "long"\n{name} = "s3cret"')
    assert run(["watch", "liquidations", "--config", str(path)]) == Exit.USAGE
    err = capsys.readouterr().err
    assert err == (
        f"cgrx: {path}:2: {name} is not read from a file: the API key is read from the environment variable"
        f" {API_KEY_VARIABLE} and from nowhere else\n"
    )


def test_no_key_and_no_password_in_an_address(write: Write, capsys: Captured) -> None:
    for text in ('url = "ws://h/?cg-api-key=s3cret"', 'proxy = "http://user:s3cret@h:1"'):
        path = write(text)
        assert run(["watch", "liquidations", "--config", str(path)]) == Exit.USAGE
        err = capsys.readouterr().err
        assert err.startswith(f"cgrx: {path}:1: ")
        assert "s3cret" not in err


def test_files_that_cannot_be_read(tmp_path: Path, capsys: Captured) -> None:
    large, bytes_ = tmp_path / "large.toml", tmp_path / "bytes.toml"
    large.write_bytes(b"#" * (LIMIT_BYTES + 1))
    bytes_.write_bytes(b"seconds = 1\n# \xff\n")
    for path, said in (
        (tmp_path / "none.toml", f"cannot read {tmp_path / 'none.toml'}: No such file or directory"),
        (tmp_path, f"cannot read {tmp_path}: Is a directory"),
        (large, f"{large} has more than 65,536 bytes: it is no file of options"),
        (bytes_, f"{bytes_}:2: this is no TOML: a byte that is not UTF-8"),
    ):
        assert run(["demo", "--config", str(path)]) == Exit.USAGE
        assert capsys.readouterr().err == f"cgrx: {said}\n"


@pytest.mark.parametrize("text", ["x = " + "[" * 30_000, "x = " + "9" * 5_000])
def test_files_that_python_cannot_take(text: str, write: Write) -> None:
    with pytest.raises(CommandError, match=r"this is no (TOML|file of options)") as caught:
        read_toml(write(text))
    assert caught.value.exit == Exit.USAGE


# --- lines ----------------------------------------------------------------------------------------------------------


def test_lines_of_names(write: Write) -> None:
    """Whatever stands in texts, lists and comments; with a byte-order mark and the line ends of Windows."""
    path = write(
        "\ufeff# a = 1\n"
        'a = """\nb = 1\n# "\n\\"""""\n'
        "  c = '''\nd = [\n'''' # e = 1\n"
        'e = [ # [\n  "]", [1, 2],\n  { f = 1, g = "=" },\n]\n'
        '"h = 1" = "\\"i = 1"\n'
        "'j' = 'k = [\"'\n"
        "l . m = 1\n\n"
        "[[n]]\na2 = 1\n['o=]'.p]\n".replace("\n", "\r\n")
    )
    found = {entry.name: int(entry.place.rpartition(":")[2]) for entry in read_toml(path)}
    assert found == {"a": 2, "c": 6, "e": 9, "h = 1": 13, "j": 14, "l": 15, "n": 17, "o=]": 19}
