"""The workflow to copy: it is one, its commands are understood, and it fails when the network is another."""

import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from analyses.commands.analyze import main
from analyses.commands.options import parsed
from interp.commands.train import _parse as training_options

ROOT = Path(__file__).parent.parent.parent
WORKFLOW = ROOT / "docs" / "ci-example" / "interp.yml"


def _steps() -> list[dict[str, Any]]:
    content = yaml.safe_load(WORKFLOW.read_text())
    (job,) = content["jobs"].values()
    steps: list[dict[str, Any]] = job["steps"]
    return steps


def _commands() -> list[list[str]]:
    lines = [line for step in _steps() for line in step.get("run", "").splitlines()]
    return [shlex.split(line.partition(" > ")[0]) for line in lines]


def test_it_is_a_workflow() -> None:
    content = yaml.safe_load(WORKFLOW.read_text())
    # YAML 1.1 reads the key "on" as true, and so does everybody who reads workflows with it.
    assert content.keys() == {"name", True, "jobs"} and content[True] == ["push", "pull_request"]
    (job,) = content["jobs"].values()
    assert job.keys() == {"runs-on", "steps"}
    for step in _steps():
        assert ("uses" in step) != ("run" in step) and step.keys() <= {"uses", "run", "name", "with", "if"}
        assert "run" in step or step["uses"].partition("@")[2].startswith("v")
        assert subprocess.run(["bash", "-n"], input=step.get("run", ""), text=True, check=False).returncode == 0


def test_its_commands_are_understood() -> None:
    of = {name: [command[1:] for command in _commands() if command[0] == name] for name in ("interp-analyze", "interp-train")}
    assert len(of["interp-analyze"]) == 3 and len(of["interp-train"]) == 1
    first, second, third = (parsed(arguments) for arguments in of["interp-analyze"])
    assert first.expect_circuit == "clock" and first.expect_frequencies == (21, 24, 29)
    options, _ = training_options(of["interp-train"][0])
    assert second.paths == (options.out,) and second.expects and options.training.steps == 2500
    assert third.json and third.common.quiet


@pytest.mark.parametrize(("network", "code"), [("zhong-59-rate-1", 0), ("zhong-59-rate-0", 1), ("quick-113", 1)])
def test_it_fails_when_the_network_is_another(network: str, code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copy(ROOT / "checkpoints" / f"{network}.pt", "checkpoint.pt")
    (command,) = [each for each in _commands() if "--expect-frequencies" in each]
    assert main(command[1:]) == code
