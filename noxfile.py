"""Every check of the project, each in its own environment; `.ci/run` runs the same sessions in a single one.

nox                     page, tests, lint, types, docs and build
nox -s benchmarks       every scenario of benchmarks/, small
nox -s report           the full run of benchmarks/, and the pages that show it
nox -s soak             the long runs that plain pytest leaves out
nox -s spark            the tests of Spark, with those that start a cluster and kill parts of it; needs Java 17 or later
nox -s mutants          change the core in one place at a time, and see whether a test fails; hours, or `-- FILE`
nox -s fuzz -- TARGET   look for bytes that break codec, frames, recording or import; `--seconds N`
nox -s lowest           the tests on the oldest dependencies that pyproject.toml admits
nox -s constraints      write constraints.txt anew, and .ci/hashes.txt with the hashes of its files
"""

import shutil
import tomllib
from pathlib import Path
from tempfile import TemporaryDirectory

import nox

nox.needs_version = ">=2025.5.1"
nox.options.sessions = ["page", "tests", "lint", "types", "docs", "build"]

ROOT = Path(__file__).parent
CONSTRAINTS = ROOT / "constraints.txt"
HASHES = ROOT / ".ci" / "hashes.txt"
PINNED = {"PIP_CONSTRAINT": str(CONSTRAINTS), "PIP_BUILD_CONSTRAINT": str(CONSTRAINTS)}
OLDEST = "3.11"


@nox.session(python=["3.11", "3.12", "3.13", "3.14"])
def tests(session: nox.Session) -> None:
    """The whole suite, with full branch coverage."""
    session.install("-e", ".[test]", env=PINNED)
    chosen = ("-m", "not soak and not cluster and not site", "--hypothesis-profile=thorough")
    session.run("pytest", *chosen, "--cov", *session.posargs)


@nox.session(python=OLDEST)
def soak(session: nox.Session) -> None:
    """The tests that take minutes."""
    session.install("-e", ".[test]", env=PINNED)
    session.run("pytest", "-m", "soak", *session.posargs)


@nox.session(python=OLDEST)
def spark(session: nox.Session) -> None:
    """The tests of Spark, with full branch coverage of what runs on it: local, without a JVM, and on a cluster."""
    session.install("-e", ".[test]", env=PINNED)
    session.install("--no-deps", "-r", str(ROOT / ".ci" / "spark.txt"))  # after and without the pins: an older pandas
    everything = ("-m", "cluster or not cluster", "-n", "0", "-o", "faulthandler_timeout=600")
    coverage = ("--cov", "--cov-config=tests/spark/coverage.ini")
    session.run("python", "-m", "pytest", "tests/spark", *everything, *coverage, *session.posargs)


@nox.session(python=OLDEST)
def mutants(session: nox.Session) -> None:
    """Change the core in one place at a time, and see whether a test fails. Prints the changes that no test noticed."""
    session.install("-e", ".[test]", env=PINNED)
    session.install("cosmic-ray>=8.7")  # after and without the pins, which are for what CI installs
    session.run("python", "-m", "tests.mutants", *session.posargs)


@nox.session(python=OLDEST)
def fuzz(session: nox.Session) -> None:
    """Look for bytes that break a property, guided by coverage. What is found goes into the corpus of the target."""
    session.install("-e", ".[test]", env=PINNED)
    session.install("atheris>=3.0")  # after and without the pins, as above; it has wheels for Linux
    session.run("python", "-m", "tests.fuzz", *session.posargs)


@nox.session(python=OLDEST)
def lowest(session: nox.Session) -> None:
    """The suite on the lower bound of each dependency of the core, and of the extras that read and send bytes."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    bounds = [*project["dependencies"], *extras["recording"], *extras["proxy"]]
    session.install("-e", ".[test]", *(bound.replace(">=", "==") for bound in bounds))
    session.run("pytest", *session.posargs)


@nox.session(python=OLDEST)
def lint(session: nox.Session) -> None:
    """The linter, the formatter, which changes nothing here, and the spelling of code and pages."""
    session.install("-e", ".[dev]", env=PINNED)
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")
    session.run("codespell")


@nox.session(python=OLDEST)
def types(session: nox.Session) -> None:
    """Both type checkers, strict: over the code, and over every block of Python in the documentation."""
    session.install("-e", ".[dev]", env=PINNED)
    session.run("mypy")
    session.run("pyright")
    session.run("python", "-m", "tests.docs.blocks")


@nox.session(python=False)
def page(session: nox.Session) -> None:
    """The page of the board: its types, its linter and its formatter; also brings axe-core, which its tests use."""
    npm = shutil.which("npm")
    if npm is None:
        session.skip("no npm on this machine, so the JavaScript of the board is not checked")
    modules = [str(path) for path in sorted((ROOT / "cgrx" / "_board" / "page").glob("*.js"))]
    with session.chdir(ROOT / "tests" / "page"):
        session.run("npm", "ci", "--no-audit", "--no-fund", external=True)  # into node_modules/ beside the lock file
        session.run("node_modules/.bin/tsc", "--project", ".", external=True)
        session.run("node_modules/.bin/biome", "ci", "--config-path=.", *modules, external=True)


@nox.session(python=OLDEST)
def docs(session: nox.Session) -> None:
    """The documentation, warnings being errors, into site/; then a browser looks at each page of it."""
    session.install("-e", ".[dev]", env=PINNED)
    session.run("mkdocs", "build", "--strict", *session.posargs, env={"NO_MKDOCS_2_WARNING": "1"})
    session.run("pytest", "-m", "site", "tests/site")


@nox.session(python=OLDEST)
def build(session: nox.Session) -> None:
    """The source distribution and from it the wheel, which must work outside the tree: whole, typed, without extras."""
    session.install("build", "mypy", "pyright[nodejs]", env=PINNED)
    out = Path(session.create_tmp()).resolve()
    shutil.rmtree(out / "dist", ignore_errors=True)
    session.run("python", "-m", "build", "--outdir", str(out / "dist"), env=PINNED)
    (wheel,) = (out / "dist").glob("*.whl")
    session.run("python", "-m", "venv", "--clear", str(out / "venv"))
    bin_dir = next(path for name in ("bin", "Scripts") if (path := out / "venv" / name).is_dir())
    python = str(bin_dir / "python")
    session.run(python, "-m", "pip", "install", str(wheel), env=PINNED, external=True)
    with session.chdir(out):
        session.run(python, "-I", str(ROOT / ".ci" / "check_installed.py"), external=True)
    # Elsewhere, where neither this tree nor its settings are found.
    with TemporaryDirectory() as elsewhere, session.chdir(elsewhere):
        script = shutil.copy(ROOT / ".ci" / "typed_client.py", elsewhere)
        session.run("mypy", "--strict", "--python-executable", python, script)
        session.run("pyright", "--pythonpath", python, script)


@nox.session(python=OLDEST)
def benchmarks(session: nox.Session) -> None:
    """Every scenario, small: everything runs and all rivals agree; no figure is judged."""
    session.install("-e", ".[dev]", env=PINNED)
    session.run("python", "-m", "benchmarks", "run", "--quick", *session.posargs)


@nox.session(python=OLDEST)
def report(session: nox.Session) -> None:
    """The full run: docs/benchmarks.md with its plots and samples, then the ratios that README quotes from it."""
    session.install("-e", ".[dev]", env=PINNED)
    session.run("python", "-m", "benchmarks", "run", "--report", "docs", *session.posargs)
    session.run("python", "-m", "tests.docs.pages")


@nox.session(python=OLDEST)
def constraints(session: nox.Session) -> None:
    """Write constraints.txt from the newest versions that pyproject.toml admits, and .ci/hashes.txt from that."""
    session.install("--upgrade", "-e", ".[dev]", "setuptools")
    frozen = session.run("pip", "freeze", "--all", "--exclude-editable", "--exclude", "pip", silent=True)
    header = "# The versions that CI and nox install. Written by `nox -s constraints`; do not edit.\n"
    CONSTRAINTS.write_text(f"{header}{frozen}")
    session.install("pip-tools")
    plain = ("--no-header", "--no-annotate", "--no-emit-index-url", "--no-emit-find-links", "--strip-extras")
    hashed = ("--generate-hashes", "--allow-unsafe", "--output-file", str(HASHES))
    session.run("pip-compile", "--quiet", *plain, *hashed, str(CONSTRAINTS))
    title = "# The files of each version in constraints.txt, by hash. Written by `nox -s constraints`; do not edit.\n"
    HASHES.write_text(title + HASHES.read_text())
