"""The files of deploy/: their syntax, and that all which they name is there."""

import configparser
import json
import re
import shlex
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest

from cgrx._cli.app import app
from cgrx._metrics.families import FAMILIES
from tests.house.plan import ROOT

DEPLOY = ROOT / "deploy"
INSTRUCTIONS = frozenset("FROM WORKDIR COPY RUN ENV USER VOLUME EXPOSE STOPSIGNAL ENTRYPOINT CMD".split())
"""Of those that there are, the ones that are used."""


def tool(name: str) -> str:
    path = shutil.which(name)
    if path is None:
        pytest.skip(f"there is no {name} here")
    return path


def checked(*command: str) -> None:
    """Run a checker of syntax."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Unknown" not in done.stderr


def loaded(name: str) -> Any:
    yaml: Any = pytest.importorskip("yaml", reason="there is no parser of YAML here")
    return yaml.safe_load((DEPLOY / name).read_text(encoding="utf-8"))


def parsed(arguments: list[str]) -> dict[str, Any]:
    """The options of a command line, by the parser of the command itself; it raises where one does not exist."""
    _, bound, _ = app.parse_args(arguments, print_error=False, exit_on_error=False)
    return dict(bound.arguments)


def unit() -> configparser.ConfigParser:
    """The unit, each of its options with the last of its values."""
    parser = configparser.ConfigParser(strict=False, interpolation=None, comment_prefixes=("#",))
    parser.optionxform = str  # type: ignore[assignment, method-assign]  # the names are case-sensitive
    parser.read(DEPLOY / "cgrx.service", encoding="utf-8")
    return parser


def instructions() -> list[tuple[str, str]]:
    """The instructions of the Containerfile and what follows each."""
    text = (DEPLOY / "Containerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return [(name, rest.strip()) for name, _, rest in (line.partition(" ") for line in lines)]


def argument_of(name: str) -> list[str]:
    (found,) = [rest for each, rest in instructions() if each == name]
    words: list[str] = json.loads(found)
    return words


def test_the_unit_is_one(tmp_path: Path) -> None:
    """By systemd's own checker, which wants the program to be there."""
    copy = tmp_path / "cgrx.service"
    program = unit()["Service"]["ExecStart"].split()[0]
    copy.write_text((DEPLOY / "cgrx.service").read_text(encoding="utf-8").replace(f"={program}", "=/bin/true"))
    checked(tool("systemd-analyze"), "verify", str(copy))


def test_the_unit_runs_a_command_that_exists() -> None:
    """As a service: it waits for the first connection, shows how it is, and is not restarted in vain."""
    service = unit()["Service"]
    program, *arguments = shlex.split(service["ExecStart"])
    assert program.endswith("/cgrx")
    options = parsed(arguments)
    assert options["connect_timeout"] == float("inf")
    assert options["settings"].metrics_port == 9464
    assert str(options["to"]).startswith(f"/var/lib/{service['StateDirectory']}/")
    assert (service["Type"], service["Restart"], service["KillSignal"]) == ("exec", "on-failure", "SIGTERM")
    assert service["SuccessExitStatus"] == "143"


def test_the_image_is_built_from_what_is_there() -> None:
    """Known instructions, files of the repository, extras of the package; no user above all others runs it."""
    found = instructions()
    assert found[0][0] == "FROM"
    assert {name for name, _ in found} <= INSTRUCTIONS
    for words in (rest.split() for name, rest in found if name == "COPY" and not rest.startswith("--from=")):
        for source in words[:-1]:
            assert (ROOT / source).exists(), source
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    (extras,) = [re.findall(r"\.\[([\w,]+)\]", rest)[0].split(",") for _, rest in found if "pip install" in rest]
    assert set(extras) <= set(project["optional-dependencies"])
    assert [rest for name, rest in found if name == "USER"] == ["10001"]


def test_the_image_runs_a_command_that_exists() -> None:
    """On all addresses of the container, or nobody outside could ask it; at the port that it exposes."""
    assert argument_of("ENTRYPOINT") == ["cgrx"]
    settings = parsed(argument_of("CMD"))["settings"]
    (exposed,) = [rest for name, rest in instructions() if name == "EXPOSE"]
    assert (settings.metrics_host, settings.metrics_port) == ("0.0.0.0", int(exposed))


def test_the_composition_runs_commands_and_mounts_files_that_exist() -> None:
    """Prometheus asks the recorder at the port on which it serves."""
    composed, scraped = loaded("compose.yaml"), loaded("prometheus.yml")
    recorder, prometheus = composed["services"]["cgrx"], composed["services"]["prometheus"]
    settings = parsed(recorder["command"])["settings"]
    assert settings.metrics_host == "0.0.0.0"
    assert (DEPLOY / recorder["build"]["context"] / recorder["build"]["dockerfile"]).is_file()
    (job,) = scraped["scrape_configs"]
    assert job["static_configs"] == [{"targets": [f"cgrx:{settings.metrics_port}"]}]
    volumes = [each.split(":")[0] for service in (recorder, prometheus) for each in service["volumes"]]
    for volume in volumes:
        assert volume in composed["volumes"] or (DEPLOY / volume).is_file()
    assert all((DEPLOY / name).is_file() for name in scraped["rule_files"])
    assert re.search(r":v?\d+\.\d+\.\d+$", prometheus["image"])


def test_the_alerts_ask_for_metrics_that_exist() -> None:
    """And the page tells all of them."""
    labels = {family.name: family.label for family in FAMILIES}
    (group,) = loaded("alerts.yml")["groups"]
    told = re.findall(r"`(Cgrx\w+)`", (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8"))
    assert sorted(told) == sorted(rule["alert"] for rule in group["rules"])
    for rule in group["rules"]:
        names = re.findall(r"cgrx_\w+", rule["expr"])
        assert names or rule["expr"] == 'up{job="cgrx"} == 0'
        told_of = set(re.findall(r"\$labels\.(\w+)", rule["annotations"]["summary"]))
        for name in names:
            assert told_of | set(re.findall(name + r"\{(\w+)=", rule["expr"])) <= {labels[name]}


def test_the_configuration_and_the_alerts_are_valid() -> None:
    """By Prometheus' own checker."""
    checked(tool("promtool"), "check", "config", str(DEPLOY / "prometheus.yml"))
