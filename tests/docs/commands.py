"""The blocks on the pages that are not Python: the command lines of a shell, and data in a language with a parser."""

import re
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path

import attrs

FENCED = re.compile(
    r"^(?P<indent> *)```(?P<language>\S*)[^\n]*\n(?P<source>.*?)^(?P=indent)```$", re.DOTALL | re.MULTILINE
)
PROMPT = "$ "
_HERE = re.compile(r"<<-?\s*'?(\w+)'?")
_BETWEEN = {"|", "||", "&&", ";", "&", "(", ")"}
_REDIRECTED = {">", ">>", "<", ">&", "&>"}
_SET = re.compile(r"[A-Z_]+=")


@attrs.frozen
class Fenced:
    """A block of any language."""

    page: Path
    line: int
    """Of its first line on the page, from 1."""
    language: str
    source: str
    indent: int
    """By how much it stands within something else."""


@attrs.frozen
class Command:
    """One program with its arguments, as a shell would start it."""

    words: tuple[str, ...]
    told: str
    """The first line that the page shows below the line of the command, or nothing."""

    def __str__(self) -> str:
        return shlex.join(self.words)


def fenced(page: Path) -> list[Fenced]:
    """All blocks of a page, in order."""
    return list(fenced_in(page, page.read_text(encoding="utf-8")))


def fenced_in(page: Path, text: str) -> Iterator[Fenced]:
    """The blocks of this text."""
    for found in FENCED.finditer(text):
        source = "".join(line.removeprefix(found["indent"]) for line in found["source"].splitlines(keepends=True))
        yield Fenced(
            page, text.count("\n", 0, found.start("source")) + 1, found["language"], source, len(found["indent"])
        )


def commands(block: Fenced) -> list[Command]:
    """The programs that a block of `console` (behind each prompt) or `sh` (in each line) starts."""
    lines = block.source.replace("\\\n", " ").splitlines()
    found: list[Command] = []
    end: str | None = None  # of a here-document
    for i, line in enumerate(lines):
        if end is not None:
            end = None if line.strip() == end else end
            continue
        if block.language == "console" and not line.startswith(PROMPT):
            continue
        here = _HERE.search(line)
        end = None if here is None else here[1]
        told = lines[i + 1] if i + 1 < len(lines) and not lines[i + 1].startswith(PROMPT) else ""
        started = _started(_HERE.sub("", line.removeprefix(PROMPT)))
        found += [Command(tuple(words), told if block.language == "console" else "") for words in started]
    return found


def _started(line: str) -> Iterator[Sequence[str]]:
    """The words of each program of a line, without what is set for it and where its output goes."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    words: list[str] = []
    redirected = False
    for word in [*lexer, ";"]:
        if word in _BETWEEN:
            if words:
                yield words
            words = []
        elif word in _REDIRECTED:
            redirected = True
        elif redirected:
            redirected = False
        elif words or not _SET.match(word):
            words.append(word)
