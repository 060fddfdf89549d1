"""interp-analyze as a person and a script see it."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from foreign import papers
from planted import planted

from analyses.commands.analyze import main
from interp.files import checkpoint
from interp.files.checkpoint import Checkpoint
from interp.networks.config import NetworkConfig
from interp.networks.initialisation import initialise

FOLDER = Path(__file__).parent.parent.parent / "checkpoints"
CLOCK = FOLDER / "zhong-59-rate-1.pt"


@pytest.fixture
def small(tmp_path: Path) -> Path:
    config = NetworkConfig(p=7, d_model=8, n_heads=2, d_head=4, d_mlp=16)
    path = tmp_path / "small.pt"
    checkpoint.save(path, Checkpoint(network=initialise(config, seed=0)))
    return path


def test_the_first_three_lines_are_the_answer(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(CLOCK)]) == 0
    network, frequencies, circuit, *tables = capsys.readouterr().out.splitlines()
    assert network.startswith(
        "a + b mod 59, a one-layer transformer: it generalises, with 3481 of 3481 pairs right; on held-out pairs its "
        "accuracy is 1.0000, its loss 2"
    )
    assert frequencies.startswith("Key frequencies: 21 24 29 ")
    assert circuit.startswith("Circuit: clock (a clock at 21, 24 and 29). Clocks and pizzas account for 99.0% of its output (")
    assert (
        "1.0% is not explained. The verdict is clear: a frequency would be judged otherwise only if its coordinate" in circuit
    )
    assert "Gradient symmetry, a published measure" in "\n".join(tables)


def test_a_network_that_does_not_add_is_said_to_be_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(FOLDER / "memorising-59.pt")]) == 0
    network, frequencies, circuit, *_ = capsys.readouterr().out.splitlines()
    assert "does not generalise" in network and frequencies == "Key frequencies: none"
    assert circuit.startswith("Circuit: not generalising (it is wrong on 2768 of 3481 pairs, so no circuit is named).")


def test_json_is_one_object_per_line_with_the_documented_keys(small: Path, capsys: pytest.CaptureFixture[str]) -> None:
    broken = small.parent / "broken.pt"
    broken.write_bytes(b"PK nonsense")
    assert main(["--json", str(small), str(broken), str(CLOCK)]) == 2
    captured = capsys.readouterr()
    first, second, third = map(json.loads, captured.out.splitlines())
    documented = (FOLDER.parent / "docs" / "json.md").read_text()
    for key in first:
        assert f"`{key}`" in documented
    assert first.keys() == third.keys() and first["circuit"] == "not generalising" and third["circuit"] == "clock"
    assert second.keys() == {"schema", "file", "error"} and "damaged" in second["error"]
    assert captured.err.startswith(f"interp-analyze: {broken}: is truncated or damaged")


def test_only_restricts_the_evidence_not_the_answer(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(CLOCK), "--json", "--only", "circularity", "performance"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert list(answer["findings"]) == ["circularity", "performance"] and answer["circuit"] == "clock"
    assert main([str(CLOCK), "--only", "circularity"]) == 0
    shown = capsys.readouterr().out
    assert "Circularity" in shown and "Gradient symmetry" not in shown and "Circuit: clock" in shown


def test_explain_adds_the_card_and_says_where_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(CLOCK), "--explain"]) == 0
    captured = capsys.readouterr()
    *_, explained, words, empty = captured.out.splitlines()[:6]
    assert explained == "Explained: yes. A formula of 3 numbers (clock or pizza) can take its place: rung 1." and empty == ""
    assert words.startswith("In words: The network places the numbers on 3 circles. On each of them it adds the angles")
    for title in (
        "The ladder",
        "Memory",
        "Surrogates",
        "Phase law",
        "Interventions at the key frequencies",
        "Where the output lives",
    ):
        assert title in captured.out
    parts = ["memory", "residual", "causal", "phase_law", "surrogate", "ladder", "explanation"]
    assert captured.err.splitlines() == [f"interp-analyze: {CLOCK} (1 of 1): {part}" for part in parts]


def test_whether_it_is_explained_is_in_the_json_where_it_was_asked(small: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--json", "--explain", str(small)]) == 0
    asked = json.loads(capsys.readouterr().out)
    assert asked["is_explained"] is False and asked["findings"]["explanation"]["is_explained"] is False
    assert main(["--json", str(small)]) == 0
    plain = json.loads(capsys.readouterr().out)
    assert plain["is_explained"] is None
    assert not plain["findings"].keys() & {"explanation", "surrogate", "phase_law", "causal", "residual"}


def test_all_triples_makes_the_symmetry_exact(small: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(small), "--json", "--all-triples"]) == 0
    findings = json.loads(capsys.readouterr().out)["findings"]
    assert findings["gradient_symmetry"]["triples"] == 7**3 and findings["gradient_symmetry"]["standard_error"] == 0
    assert findings["clock_or_pizza"]["gradient_symmetry"] == findings["gradient_symmetry"]["mean"]


def test_a_directory_gets_one_row_per_checkpoint(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("zhong-59-rate-0.pt", "zhong-59-rate-1.pt", "operations/d13.pt", "memorising-59.pt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(FOLDER / name, tmp_path / name)
    assert main([str(tmp_path)]) == 0
    rows = [line for line in capsys.readouterr().out.splitlines() if ".pt" in line]
    assert [row.split()[0] for row in rows] == sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.pt"))
    circuits = {row.split()[0].split("/")[-1]: row for row in rows}
    assert "pizza" in circuits["zhong-59-rate-0.pt"] and "clock" in circuits["zhong-59-rate-1.pt"]


@pytest.mark.parametrize(
    ("expectation", "code", "message"),
    [
        (["--expect-circuit", "clock"], 0, ""),
        (["--expect-circuit", "pizza"], 1, "expected circuit pizza, got clock"),
        (["--expect-frequencies", "29", "24", "21"], 0, ""),
        (["--expect-frequencies", "14", "35"], 1, "expected key frequencies [14, 35], got [21, 24, 29]"),
        (["--expect-frequencies"], 1, "expected key frequencies [], got [21, 24, 29]"),
    ],
)
def test_expectations(expectation: list[str], code: int, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(CLOCK), *expectation]) == code
    assert message in capsys.readouterr().err


def test_what_was_assumed_is_in_every_row_with_what_the_other_reading_would_change(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A pizza at 3 that is just strong enough to be a key frequency with ReLU, and just too weak with GELU."""
    network = planted(11, clocks=(1, 2), pizzas=(3,), strengths={3: 0.0707})
    network.parameters["embed.W_E"] /= 2
    for name in ("one", "two"):
        torch.save(papers(network), tmp_path / f"{name}.pt")
    assumed = "activation relu (activation gelu would change frequencies 1 2 3 to 1 2, circuit hybrid to clock)"
    assert main([str(tmp_path), str(CLOCK)]) == 0
    rows = {line.split()[0].split("/")[-1]: line for line in capsys.readouterr().out.splitlines() if ".pt" in line}
    assert assumed in rows["one.pt"] and assumed in rows["two.pt"] and "assumed" not in rows["zhong-59-rate-1.pt"]
    assert main([str(tmp_path / "one.pt")]) == 0
    assert f"Assumed, not stored: {assumed}" in capsys.readouterr().out
    assert main([str(tmp_path / "one.pt"), "--activation", "relu"]) == 0
    assert "Assumed" not in capsys.readouterr().out
    assert main([str(tmp_path / "one.pt"), str(CLOCK), "--json", "--only", "performance"]) == 0
    foreign, own = map(json.loads, capsys.readouterr().out.splitlines())
    assert own["assumed"] == [] and own["instead"] is None
    (told,) = foreign["assumed"]
    assert (told["taken"], told["other"], told["accuracy"]) == ("activation relu", "activation gelu", 1.0)
    assert (told["key_frequencies"], told["circuit"]) == ([1, 2], "clock")
    assert told["changes"] == ["frequencies 1 2 3 to 1 2", "circuit hybrid to clock"]


def test_an_unreadable_file_outweighs_an_unmet_expectation_and_the_others_are_still_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(tmp_path / "none.pt"), str(CLOCK), "--expect-circuit", "pizza"]) == 2
    captured = capsys.readouterr()
    assert "none.pt: cannot be read: No such file" in captured.err and "expected circuit pizza" in captured.err
    assert "zhong-59-rate-1.pt" in captured.out
    assert main([str(tmp_path)]) == 2
    assert "is a directory without checkpoints (.pt, .pth, .safetensors, .npy, .npz)" in capsys.readouterr().err


def test_one_thread_is_used_unless_more_are_asked_for(small: Path) -> None:
    for options, threads in (([], 1), (["--threads", "2"], 2), ([], 1)):
        assert main([str(small), *options]) == 0 and torch.get_num_threads() == threads


def test_several_processes_say_what_one_says_in_the_order_of_the_files(
    tmp_path: Path, small: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = [str(path) for path in (CLOCK, tmp_path / "none.pt", small, CLOCK)]  # slow, unreadable, fast, and one again
    said = []
    for workers in ("1", "2"):
        assert main([*files, "--json", "--workers", workers]) == 2
        said.append(capsys.readouterr())
    one, two = said
    assert one.out == two.out and len(one.out.splitlines()) == 4
    assert one.err == two.err and "none.pt: cannot be read: No such file" in two.err
    assert [json.loads(line)["file"] for line in two.out.splitlines()] == files


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["x.pt", "--only", "nonsense"],
        ["x.pt", "--expect-circuit", "toroid"],
        ["x.pt", "--workers", "0"],
        ["x.pt", "--threads", "0"],
    ],
)
def test_wrong_options_exit_with_2(arguments: list[str]) -> None:
    try:
        code: object = main(arguments)
    except SystemExit as stopped:
        code = stopped.code
    assert code == 2


def test_it_never_imports_transformer_lens_and_survives_a_closed_pipe() -> None:
    script = (
        "import sys; from analyses.commands.analyze import main; code = main([sys.argv[1]]);"
        "slow = [name for name in sys.modules if name.startswith(('transformer_lens', 'plotly'))];"
        "assert not slow, slow; sys.exit(code)"
    )
    finished = subprocess.run([sys.executable, "-c", script, CLOCK], capture_output=True, text=True, check=False)
    assert (finished.returncode, finished.stderr) == (0, "")

    piped = f"{sys.executable} -m analyses.commands.analyze {CLOCK} {CLOCK} {FOLDER} --json | head -c 10"
    finished = subprocess.run(["sh", "-c", piped], capture_output=True, text=True, check=False, cwd=FOLDER.parent)
    assert finished.stderr == "" and finished.stdout == '{"schema":'


def test_a_mistake_is_one_line_without_a_traceback(tmp_path: Path) -> None:
    torch.save({"weights": torch.zeros(2)}, tmp_path / "theirs.pt")
    command = [sys.executable, "-m", "analyses.commands.analyze", str(tmp_path / "theirs.pt")]
    finished = subprocess.run(command, capture_output=True, text=True, check=False, cwd=FOLDER.parent)
    assert finished.returncode == 2 and finished.stdout == ""
    assert (
        finished.stderr.count("\n") == 1 and "unknown state dict: weights [2]; none of these names is known" in finished.stderr
    )
