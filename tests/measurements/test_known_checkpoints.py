"""Each committed checkpoint yields its known findings, through the interp-analyze command itself."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from analyses.evidence.known import known_coordinates

FOLDER = Path(__file__).parent.parent.parent / "checkpoints"
EXPECTED: dict[str, dict[str, Any]] = json.loads((FOLDER / "expected.json").read_text())
ANALYZE = str(Path(sys.executable).parent / "interp-analyze")


def test_every_checkpoint_has_expectations() -> None:
    assert {path.name for path in FOLDER.glob("*.pt")} == EXPECTED.keys()


@pytest.mark.parametrize("name", EXPECTED)
def test_a_known_checkpoint_yields_its_key_frequencies_and_circuit(name: str) -> None:
    expected = EXPECTED[name]
    frequencies = map(str, expected["key_frequencies"])
    finished = subprocess.run(
        [
            ANALYZE,
            FOLDER / name,
            "--json",
            "--expect-circuit",
            expected["circuit"],
            "--expect-frequencies",
            *frequencies,
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (finished.returncode, finished.stderr) == (0, "")
    answer = json.loads(finished.stdout)
    assert answer["accuracy"] == pytest.approx(expected["accuracy"], abs=1e-3)
    on_the_map = [number for each in known_coordinates().get(name.removesuffix(".pt"), ()) for number in each]
    coordinates = answer["findings"]["clock_or_pizza"]["coordinates"]
    measured = [number for k, coordinate, _, _, share in coordinates for number in (k, coordinate, share)]
    assert on_the_map == pytest.approx(measured, abs=2e-3)
    verdicts = {str(k): verdict for k, verdict in answer["findings"]["clock_or_pizza"]["frequencies"]}
    assert verdicts == expected["frequencies"]
    if expected["frequencies"]:
        assert answer["sureness"] == "clear" and answer["unexplained"] < 0.05
    else:  # a negative control
        assert answer["sureness"] == "none" and not answer["generalises"]
