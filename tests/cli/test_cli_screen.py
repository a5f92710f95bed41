"""The live table in processes on pseudo-terminals: every column at usual sizes, keys, and a terminal left as it was."""

import re
import signal

import pytest

pytest.importorskip("termios", reason="there are no pseudo-terminals on this system")

from cgrx._cli.terminal.exits import Exit
from tests.cli.screens import OnScreen, Picture, on_screen

AMOUNT = r"[\d,.]+[kMGT]?"
TAPE = re.compile(
    r"(?P<utc>\d\d:\d\d:\d\d(\.\d{3})?) (?P<event>◆ liquidation|· trade      ) (?P<exchange>[A-Za-z]+) +"
    rf"(?P<symbol>[A-Z_-]+) +(?P<side>▼ long |▲ short|▲ buy  |▼ sell ) +(?P<price>[\d,.]+) +(?P<usd>{AMOUNT})"
    r" (?P<size>[█▏▎▍▌▋▊▉]*) *"
)
LARGEST = re.compile(rf"[·◆] {AMOUNT} +(▼ long|▲ short|▲ buy|▼ sell) +[A-Z]+ +[A-Za-z]+ *")
ASSETS = re.compile(rf"[A-Z]+ +{AMOUNT} +{AMOUNT} [█░]+ *")
EXCHANGES = re.compile(rf"[A-Za-z]+ +{AMOUNT} +\d+% [█░]+ *")
PANELS = {"Largest": LARGEST, "Liq.": ASSETS, "Exchange": EXCHANGES}
SIZES = ((80, 24), (100, 30), (120, 40), (160, 50))


def is_full(picture: Picture) -> bool:
    """Whether there is a tape of liquidations and trades, and nothing of another size."""
    tape = [line for line in picture.lines if TAPE.match(line)]
    return len(tape) >= 8 and "◆ liquidation" in picture.text and "· trade" in picture.text and "q end" in picture.text


def judge(picture: Picture) -> None:
    """Each column, by the rule below its heading."""
    lines, columns = picture.lines, picture.columns
    rules = [number for number, line in enumerate(lines) if line.startswith("─")]
    heading, rule = lines[rules[0] - 1], lines[rules[0]]
    assert heading.split()[:8] == "UTC Event Exchange Symbol Side Price USD Size".split()
    assert len(rule) == columns  # no width is left empty
    tape_width = rule.index("  ") if "  " in rule else columns
    body = [line[:tape_width] for line in lines[rules[0] + 1 :] if re.match(r"\d\d:\d\d:\d\d(\.\d{3})? [◆·]", line)]
    assert len(body) >= 8
    for line in body:
        found = TAPE.fullmatch(line)
        assert found is not None, line
        assert (found["event"] == "◆ liquidation") == (found["side"] in ("▼ long ", "▲ short"))
    if columns == 80:
        assert any(line.startswith("largest    ") for line in lines)
        assert any(re.match(rf"liquidated [A-Z]+ ▼{AMOUNT} ▲", line) for line in lines)
    else:
        judge_panels(lines, tape_width)
    (pressed,) = [line for line in lines if line.startswith("liquidated ▼ long")]
    assert re.match(rf"liquidated ▼ long +{AMOUNT} [█░]+ {AMOUNT} +▲ short Δ [+-]{AMOUNT} +\S", pressed)


def judge_panels(lines: list[str], tape_width: int) -> None:
    """The tables beside or below the tape."""
    seen: set[str] = set()
    for number, line in enumerate(lines[:-1]):
        for at in [found.start() for found in re.finditer(r"(?<!─)─+", lines[number + 1])]:
            name = line[at:].split()[0]
            if name not in PANELS or (at == 0 and "UTC" in line):
                continue
            below = lines[number + 2][at:]
            width = len(lines[number + 1][at:].split()[0])
            assert PANELS[name].fullmatch(below[:width]), (name, below)
            seen.add(name)
    assert seen == set(PANELS), tape_width


def test_every_column_at_usual_sizes_and_every_key() -> None:
    """One process, whose terminal changes its size; then what each key does; `q` ends it with the summary."""
    with on_screen("demo", "--seconds", "60", "--rate", "1500", columns=80, rows=24) as screen:
        for columns, rows in SIZES:
            screen.resize(columns, rows)
            judge(screen.wait(is_full))
        sort_and_filter(screen)
        stop_and_help(screen)
        screen.type("q")
        assert screen.end() == Exit.DONE
        assert re.search(r"sent +[\d,]+ events", screen.picture.text)


def sort_and_filter(screen: OnScreen) -> None:
    screen.type("s")
    amounts = [amount(found["usd"]) for found in tape(screen.wait_text("s order: largest"))]
    assert amounts == sorted(amounts, reverse=True)
    screen.type("s/bitget long")
    screen.wait_text("/bitget long█  Enter keeps it")
    shown = tape(screen.wait(lambda picture: {each["exchange"] for each in tape(picture)} == {"Bitget"}))
    assert {each["side"] for each in shown} == {"▼ long "}
    screen.type("\r")
    screen.wait_text("/ filter: bitget long (Esc shows all)")
    screen.type("\x1b")
    screen.wait(lambda picture: len({each["exchange"] for each in tape(picture)}) > 1)


def stop_and_help(screen: OnScreen) -> None:
    screen.type(" ")
    stopped = [found[0] for found in tape(screen.wait_text("‖ stopped, "))]
    picture = screen.wait(lambda picture: re.search(r"‖ stopped, [1-9]\d+ events since", picture.text))
    assert [found[0] for found in tape(picture)] == stopped
    screen.type("?")
    assert "Ctrl-C does the same" in screen.wait_text("space         stop the picture").text
    screen.type("?\x1b[A\x1b[1;5C ")  # two arrows, which do nothing
    screen.wait(lambda picture: "stopped" not in picture.text and is_full(picture))


def tape(picture: Picture) -> "list[re.Match[str]]":
    return [found for line in picture.lines if (found := TAPE.match(line))]


def amount(text: str) -> float:
    units = {"k": 1e3, "M": 1e6}
    return float(text.rstrip("kM").replace(",", "")) * units.get(text[-1], 1.0)


def test_the_terminal_is_left_as_it_was() -> None:
    """By what a supervisor sends: the summary stands below, and nothing of the picture."""
    with on_screen("demo", "--seconds", "60", columns=80, rows=24) as screen:
        screen.wait_text("q end")
        assert screen.end(signal.SIGTERM) == 143
        assert screen.text.count("\x1b[?1049h") == screen.text.count("\x1b[?1049l") == 1
        after = screen.text[screen.text.index("\x1b[?1049l") :]
        assert "sent  " in after
        assert "Traceback" not in screen.text
        assert "\x1b[1m" not in screen.text[screen.text.rfind("\x1b[0m") :]


def test_ctrl_z_gives_the_terminal_back() -> None:
    """A shell with job control gets it as it was; `fg` goes on with the picture and the keys, until Ctrl-C."""
    script = 'set -m; "$@"; echo "(stopped)"; read -r line; fg; echo "(ended $?)"'
    with on_screen("demo", "--seconds", "60", columns=80, rows=24, script=script) as screen:
        screen.wait_text("q end")
        screen.type("\x1a")
        screen.wait_text("(stopped)")
        screen.require_as_before()
        screen.type("\n")
        screen.wait(lambda picture: "1049" in picture.modes and "25" not in picture.modes)
        screen.type("s")
        screen.wait_text("s order: largest")
        screen.type("\x03")
        screen.wait_text("(ended 130)")
        assert screen.end() == 0
