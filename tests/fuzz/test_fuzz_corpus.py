"""What the fuzzer begins with, and all that it has ever found, through the properties of `targets`."""

from pathlib import Path

import pytest

from tests.fuzz.__main__ import TARGETS as NAMES
from tests.fuzz.targets import CORPUS, TARGETS

FILES = sorted(path for path in CORPUS.glob("*/*") if path.is_file())


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_the_property_holds(path: Path) -> None:
    """Without a fuzzer."""
    TARGETS[path.parent.name](path.read_bytes())


def test_every_target_has_a_corpus() -> None:
    """And no corpus is without its target."""
    assert {path.parent.name for path in FILES} == set(NAMES) == set(TARGETS)
