"""What the pages of the documentation take from code: diagrams, examples with their output, the list of aggregates.

A page asks by a comment. `python -m tests.docs.pages` writes what stands between it and the next `<!-- end -->`, and
draws the house (`house.py`) and the concepts (`pictures/`); `test_docs.py` says when that is due:

    <!-- marbles: tumbling -->      the case of that name in tests/docs/marble_cases
    <!-- picture: signals -->       the picture of that name in tests/docs/pictures, on a page in docs/concepts
    <!-- file: event_time.py -->    the script in docs/examples, or in a folder of it: `cookbook/vwap.py`
    <!-- output: event_time.py -->  what it prints
    <!-- imports -->                what the examples of the reference take for granted
    <!-- deploy: cgrx.service -->   the file of that name in deploy/
    <!-- names: agg.md -->          the names on pages of docs/reference, and what each is; `agg.md#vwap` is one
    <!-- aggregates -->             what the docstrings of cgrx.operators.agg say
    <!-- fields: Flow -->          the fields of a class of rows, or of several
    <!-- columns -->                the columns of a recording
    <!-- metrics -->                the metrics that Prometheus gets
    <!-- exchanges -->              the known exchanges and their symbols
    <!-- rooms -->                  the rooms of the house, and what each may import
    <!-- house -->                  how large the house is
    <!-- benchmarks -->             the questions that the scenarios of benchmarks/ ask
    <!-- ratios -->                 what README quotes from docs/benchmarks.json
    <!-- command: watch -->         the options of a command, or of a group of them, as the help has them
    <!-- errors: connection -->     what the docstrings of errors and statuses say: see `errors.py` for the groups
"""

import ast
import contextlib
import inspect
import io
import re
import runpy
from collections.abc import Callable
from datetime import date
from functools import cache
from pathlib import Path
from types import FunctionType

from benchmarks._harness import results
from benchmarks._report import quotes
from cgrx._metrics.families import FAMILIES
from cgrx._model import exchanges
from cgrx._recording.schema import COLUMNS
from cgrx.operators import agg
from tests.docs import drawing, errors, house, options, pictures, reference, row_fields
from tests.docs.marble_cases import CASES
from tests.house import plan

DOCS = plan.ROOT / "docs"
EXAMPLES = DOCS / "examples"
ASKED = re.compile(r"<!-- (?P<kind>\w+)(?:: (?P<what>\S+(?: \S+)*))? -->\n(?P<written>.*?)<!-- end -->\n", re.DOTALL)


def examples() -> list[str]:
    """The scripts, as a page asks for them."""
    return sorted(path.relative_to(EXAMPLES).as_posix() for path in EXAMPLES.glob("**/*.py"))


def markdown() -> list[Path]:
    """Every page, and the README."""
    return [plan.ROOT / "README.md", *sorted(DOCS.glob("**/*.md"))]


def filled_in(page: str) -> str:
    """The page with all that it asks for, as of now."""
    return ASKED.sub(_answer, page)


def asked_for(page: str) -> list[tuple[str, str]]:
    """What it asks for: kinds, and names or nothing."""
    return [(found["kind"], found["what"] or "") for found in ASKED.finditer(page)]


def blank_files(page: str) -> str:
    """The page with blank lines for what other tests run: its examples, which are files, and the imports of others."""
    apart = ("file", "imports")
    return ASKED.sub(lambda found: "\n" * found[0].count("\n") if found["kind"] in apart else found[0], page)


def _answer(found: re.Match[str]) -> str:
    asked = found[0].partition("\n")[0]
    return f"{asked}\n\n{_KINDS[found['kind']](found['what']).strip()}\n\n<!-- end -->\n"


def _fenced(kind: str, text: str) -> str:
    return f"```{kind}\n{text.rstrip()}\n```"


def _marbles(name: str) -> str:
    case = {case.name: case for case in CASES}[name]
    return f"{case.title}\n\n{_fenced('text', drawing.picture(case))}"


def _picture(name: str) -> str:
    return pictures.images(name)


def _file(name: str) -> str:
    return _fenced("python", (EXAMPLES / name).read_text(encoding="utf-8"))


def _deploy(name: str) -> str:
    kind = {".service": "ini", ".yaml": "yaml", ".yml": "yaml", "": "dockerfile"}[Path(name).suffix]
    return _fenced(kind, (plan.ROOT / "deploy" / name).read_text(encoding="utf-8"))


@cache
def output(name: str) -> str:
    """What an example prints; what its feed logs of lost connections goes to standard error, and is no part."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(io.StringIO()):
        runpy.run_path(str(EXAMPLES / name), run_name="__main__")
    return printed.getvalue()


def _aggregates(_: None) -> str:
    lines = ["| aggregate | what, and how | unit | of no event | error |", "| --- | --- | --- | --- | --- |"]
    functions = [each for name, each in vars(agg).items() if inspect.isfunction(each) and name != "custom"]
    lines.extend(_aggregate(each) for each in sorted(functions, key=_place))
    return "\n".join(lines)


def _place(function: FunctionType) -> tuple[int, int]:
    """Where an aggregate is defined, the common ones first."""
    families = (
        "count",
        "volume",
        "vwap",
        "mean",
        "open_high_low_close",
        "first_last",
        "min_max",
        "largest",
        "exchanges",
        "quantile",
        "count_distinct",
        "ewm",
        "rolling",
        "risk",
    )
    return families.index(function.__module__.rpartition(".")[2]), function.__code__.co_firstlineno


def _aggregate(function: FunctionType) -> str:
    """A line of the table: the docstrings say all of it, each in the same place."""
    text = " ".join((inspect.getdoc(function) or "").partition("\nArgs:")[0].split())
    cells = [text.partition(". ")[0].rstrip(".")]
    for start in ("unit", "without any(?: event| row)?", "error"):
        found = re.search(rf"\b{start}: (.*?)[.;](?: |$)", text, re.IGNORECASE)
        cells.append(found[1] if found else "see its arguments")
    own = [each for each in inspect.signature(function).parameters.values() if each.name not in ("side", "of")]
    arguments = ", ".join(
        each.name if each.default is each.empty else f"{each.name}={_code(each.default)}" for each in own
    )
    return f"| `{function.__name__}({arguments})` | {' | '.join(cells)} |"


def _code(value: object) -> str:
    return f'"{value}"' if isinstance(value, str) else repr(value)


def _benchmarks(_: None) -> str:
    lines = ["| question | command |", "| --- | --- |"]
    for path in sorted((plan.ROOT / "benchmarks").glob("[!_]*.py")):
        question = (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").partition("\n")[0]
        lines.append(f"| {question} | `python -m benchmarks run {path.stem}` |")
    return "\n".join(lines)


def _columns(_: None) -> str:
    rows = [f"| `{column.name}` | {column.type} | {column.meaning} |" for column in COLUMNS]
    return "\n".join(["| column | Arrow type | meaning |", "| --- | --- | --- |", *rows])


def _exchanges(_: None) -> str:
    lines = ["| exchange | other names | perpetual contracts | futures | source |", "| --- | --- | --- | --- | --- |"]
    for each in exchanges.TABLE:
        base = each.own_assets.get("BTC", "BTC")
        symbols = [
            " ".join(
                f"`{form.format(base=base, quote=quote, expiry=date(2025, 6, 27))}`"
                for quote, found in forms.items()
                for form in found
            )
            for forms in (each.perpetuals, each.futures)
        ]
        names = ", ".join(each.other_names)
        lines.append(f"| {each.name} | {names} | {' | '.join(symbols)} | <{each.source}> |")
    return "\n".join(lines)


def _metrics(_: None) -> str:
    rows = [
        f"| `{each.name}{f'{{{each.label}}}' if each.label else ''}` | {each.kind} | {each.help.rstrip('.')} |"
        for each in FAMILIES
    ]
    return "\n".join(["| metric | kind | what it is |", "| --- | --- | --- |", *rows])


def _ratios(_: None) -> str:
    return quotes.lines(results.read(DOCS / "benchmarks.json"))


def _rooms(_: None) -> str:
    return house.table()


def _fields(names: str) -> str:
    return row_fields.table(names)


def _house(_: None) -> str:
    return house.counts()


def _names(of_pages: str) -> str:
    lines = ["| name | what it is |", "| --- | --- |"]
    for asked in of_pages.split():
        page, _, only = asked.partition("#")
        for name in reference.shown_on(DOCS / "reference" / page):
            if only not in ("", name.rpartition(".")[2]):
                continue
            # In a table a bar ends a cell, but not within code, where a backslash before it would be seen.
            says = re.sub(r"`[^`]*`|\|", lambda found: r"\|" if found[0] == "|" else found[0], reference.sentence(name))
            lines.append(f"| [`{name.rpartition('.')[2]}`]({page}#{name}) | {says} |")
    return "\n".join(lines)


def _imports(_: None) -> str:
    return _fenced("python", reference.IMPORTS)


def _output(name: str) -> str:
    return _fenced("text", output(name))


_KINDS: dict[str, Callable[..., str]] = {
    "marbles": _marbles,
    "picture": _picture,
    "file": _file,
    "deploy": _deploy,
    "output": _output,
    "imports": _imports,
    "names": _names,
    "aggregates": _aggregates,
    "benchmarks": _benchmarks,
    "columns": _columns,
    "command": options.tables,
    "errors": errors.entries,
    "exchanges": _exchanges,
    "metrics": _metrics,
    "fields": _fields,
    "rooms": _rooms,
    "house": _house,
    "ratios": _ratios,
}


if __name__ == "__main__":
    house.PICTURE.write_text(house.draw().svg(), encoding="utf-8")
    for name in pictures.PICTURES:
        pictures.path_of(name).write_text(pictures.drawn(name).svg(), encoding="utf-8")
    for path in markdown():
        path.write_text(filled_in(path.read_text(encoding="utf-8")), encoding="utf-8")
