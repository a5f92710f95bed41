"""What of the page is installed with the package, and what is said where the extra is not."""

import subprocess
import sys
from pathlib import Path

import pytest
from setuptools.command.build_py import build_py  # type: ignore[import-untyped]  # it ships no types
from setuptools.dist import Distribution  # type: ignore[import-untyped]  # nor here

import cgrx
from cgrx._board.files import page_files
from tests.house import plan
from tests.support import run


def test_every_file_of_the_page_goes_into_the_wheel(monkeypatch: pytest.MonkeyPatch) -> None:
    """With its licences, by setuptools' own account."""
    monkeypatch.chdir(plan.ROOT)
    project = Distribution()
    project.parse_config_files()
    project.include_package_data = False  # else it would write into the folder, to see what is committed
    command = build_py(project)
    command.finalize_options()
    command.manifest_files = {}
    page = Path("cgrx", "_board", "page")
    names: list[str] = command.find_data_files("cgrx._board", "cgrx/_board")  # pyright: ignore[reportUnknownMemberType]  # as above
    found = {Path(name).relative_to(page).as_posix() for name in names}
    assert {path[1:] or "index.html" for path in page_files()} <= found
    assert {name for name in found if name.endswith("LICENSE")} != set()


@pytest.mark.parametrize("module", ["starlette", "hypercorn"])
def test_without_the_extra(module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """At the call, with what to install."""

    async def main() -> None:
        monkeypatch.setitem(sys.modules, module, None)
        with pytest.raises(ImportError, match=rf"^board\(\) needs .*{module}.*cgrx\[board\]"):
            cgrx.board("a folder")

    run(main)


FIRST = """
import sys, threading
import trio
import cgrx
from cgrx.testing import Simulator

importing = set()

class Finder:
    def find_spec(self, name, path=None, target=None):
        if name.startswith(("starlette.", "hypercorn.")):
            importing.add(threading.current_thread() is threading.main_thread())

async def main():
    async with Simulator() as simulator, cgrx.connect(url=simulator.url, api_key="any-key-will-do") as feed:
        sys.meta_path.insert(0, Finder())
        async with cgrx.board(feed):
            print(importing)

trio.run(main)
"""


def test_the_feed_does_not_wait_for_the_first_board_to_be_imported() -> None:
    """Another thread does that."""
    done = subprocess.run([sys.executable, "-c", FIRST], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "{False}\n"
