"""Is this environment's cgrx whole? Run it outside the tree, where cgrx is installed without any extra."""

import subprocess
import sys
import sysconfig
from importlib import resources, util
from importlib.metadata import files
from pathlib import Path

import cgrx
import cgrx.operators

site = Path(sysconfig.get_path("purelib")).resolve()
home = Path(cgrx.__file__).resolve().parent
assert home == site / "cgrx", f"imported from {home}, not from this environment"
assert Path(cgrx.operators.__file__).resolve() == home / "operators" / "__init__.py"
assert resources.files("cgrx").joinpath("py.typed").is_file(), "py.typed is missing: type checkers will ignore cgrx"

assert util.find_spec("operators") is None, "a top-level `operators` has been installed"
installed = {file.as_posix() for file in files("cgrx") or [] if file.suffix == ".py"}
top = {file.partition("/")[0] for file in installed}
assert top == {"cgrx"}, f"top-level names: {top}"

# The tree's own files, `operators/` under its installed name: none is missing, and none is left from an earlier build.
tree = Path(__file__).resolve().parents[1]
written = {
    f"{package}/{path.relative_to(tree / folder).as_posix()}"
    for folder, package in (("cgrx", "cgrx"), ("operators", "cgrx/operators"))
    for path in (tree / folder).rglob("*.py")
    if folder == "operators" or not path.is_relative_to(tree / "cgrx" / "operators")
}
assert installed == written, f"missing: {sorted(written - installed)}, in vain: {sorted(installed - written)}"

page = "cgrx/_board/page/"
shipped = {file.as_posix() for file in files("cgrx") or [] if file.as_posix().startswith(page)}
kept = {path.relative_to(tree).as_posix() for path in (tree / page).rglob("*") if path.is_file()}
assert shipped == kept, f"missing of the page: {sorted(kept - shipped)}, in vain: {sorted(shipped - kept)}"

command = Path(sys.executable).parent / "cgrx"
run = subprocess.run([command], capture_output=True, text=True, timeout=60, check=False)
said = (run.stdout + run.stderr).strip()
assert run.returncode != 0, "without its extra the command must fail"
assert "cgrx[cli]" in said, said
assert "\n" not in said, said
print(f"cgrx is whole, {len(installed)} modules, and says {said!r} without its extra")
