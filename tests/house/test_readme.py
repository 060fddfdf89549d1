"""What the README and the documents say is so: their examples run, their tables are those of today."""

import re
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest
import torch

import analyses
import interp
from analyses.commands.analyze import main
from interp.circuit import Circuit

ROOT = Path(__file__).parent.parent.parent
README = (ROOT / "README.md").read_text()
sys.path[:0] = [str(ROOT / "studies"), str(ROOT / "docs")]


def blocks(text: str) -> list[str]:
    """The indented blocks, each as its words, so that a line may be broken anywhere."""
    lines = [line if line.startswith("    ") else "\n\n" if line.strip() else "" for line in text.splitlines()]
    return [" ".join(block.split()) for block in "\n".join(lines).split("\n\n\n") if block.strip()]


@pytest.mark.parametrize(
    ("document", "arguments", "begins"),
    [
        # Trained twice as long as the demo's, which the slow test below trains.
        ("README.md", ["checkpoints/zhong-59-rate-0.pt", "--only", "explanation"], "a"),
        ("docs/start/first_look.md", ["checkpoints/zhong-59-rate-0.pt", "--only", "performance"], "a"),
        ("docs/concepts/mixture.md", ["checkpoints/quick-113.pt", "--only", "clock_or_pizza"], "Circuit:"),
        ("docs/howto/checkpoint.md", ["checkpoints/operations"], "checkpoints/operations:"),
    ],
)
def test_the_answers_shown_are_those_of_today(
    document: str, arguments: list[str], begins: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    assert main(arguments) == 0
    printed = " ".join(capsys.readouterr().out.split())
    (mine,) = [block for block in blocks((ROOT / document).read_text()) if block.split()[0] == begins]
    assert mine in printed


@pytest.mark.slow
def test_the_demo_ends_as_the_readme_says(tmp_path: Path) -> None:
    """Its commands are the Makefile's."""
    recipe = (ROOT / "Makefile").read_text().split("\ndemo:")[1].split("\n\n")[0]
    commands = [line.strip().replace("$(BIN)", str(Path(sys.executable).parent)) for line in recipe.splitlines()[2:]]
    assert len(commands) == 2 and "--threads 1" in commands[0]
    *_, last = (
        subprocess.run(command.split(), cwd=tmp_path, capture_output=True, text=True, check=True) for command in commands
    )
    (mine,) = [block for block in blocks(README) if block.split()[0] == "a"]
    assert mine in " ".join(last.stdout.split())
    assert (
        "On each of them it takes the point halfway between a and b" in (tmp_path / "runs" / "demo" / "page.html").read_text()
    )


def test_the_readme_is_short_and_what_it_links_to_is_there() -> None:
    """Anchors are checked where the site is built."""
    from hooks import GENERATED

    assert len(README.encode()) < 10_000
    made = {ROOT / "docs" / name for name in GENERATED}
    for document in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))):
        for target in re.findall(r"\]\(([^)\s#]+)[^)\s]*\)", document.read_text()):
            there = (document.parent / target).resolve()
            assert target.startswith("http") or there.exists() or there in made, (document.name, target)
    assert not any(f"({path.relative_to(ROOT)}" in README for path in made), "the README is read where nothing was made"


def test_the_map_and_the_study_are_what_would_be_written_today() -> None:
    import make_map
    import pyarrow.parquet
    from summary import MARK, summary

    assert make_map.FILE.read_text() == make_map.text(), "make map"
    rows = pyarrow.parquet.read_table(ROOT / "studies" / "every_network.parquet").to_pylist()
    written = (ROOT / "docs" / "every_network.md").read_text().partition(MARK)[2]
    assert written == f"\n{summary(rows)}", "python studies/every_network.py"


def test_what_is_said_of_the_rest_is_so() -> None:
    """The numbers of docs/every_network.md, "What is beside the formula", measured again."""
    written = " ".join((ROOT / "docs" / "every_network.md").read_text().split())

    def of(name: str) -> Circuit:
        return interp.load(ROOT / "checkpoints" / f"{name}.pt")

    nanda, quick, by_heart = (analyses.memory(of(name)) for name in ("nanda-113", "quick-113", "memorising-59"))
    assert f"raises them by {nanda.lift:.3f} and {quick.lift:.3f} standard deviations" in written
    assert all(each.trained_loss_without < each.trained_loss for each in (nanda, quick))
    assert f"raises them by {by_heart.lift:.2g}" in written and f"the ratio is {by_heart.energy_ratio:.3f}" in written
    assert f"from {by_heart.trained_loss:.2g} to {by_heart.trained_loss_without:.2g}" in written
    found = {name: analyses.from_weights(of(name)) for name in ("quick-113", "zhong-59-rate-0", "zhong-59-rate-1", "nanda-113")}
    quick_, pizza, clock, nanda_ = (f"{each.accounted:.0%}" for each in found.values())
    assert f"{quick_} of those measured in `quick-113.pt`, {pizza} in `zhong-59-rate-0.pt` and {clock} in" in written
    assert f"{nanda_} in `nanda-113.pt`" in written
    assert f"at least {min(f.fitted for each in found.values() for f in each.frequencies):.1%} of its squares" in written
    first, full, measured = (
        [getattr(f, name) for f in found["zhong-59-rate-1"].frequencies] for name in ("first_waves", "predicted", "measured")
    )
    assert all(_range(values) in written for values in (first, full, measured))
    pizzas = [f.measured for f in found["zhong-59-rate-0"].frequencies]
    assert f"{min(pizzas):.2f} to {max(pizzas):.2f} (`zhong-59-rate-0.pt`)" in written

    def constants(x: torch.Tensor, times: float) -> torch.Tensor:
        return x + times * x.mean((0, 1), keepdim=True)

    for times, said in ((-1.0, "the coordinates are {:.2f}"), (1.0, "doubled {:.2f} to {:.2f}")):
        edited = of("zhong-59-rate-0").with_activation("blocks.0.mlp.hook_pre", partial(constants, times=times))
        coordinates = [each.coordinate for each in analyses.amplitude_profile(edited).profiles]
        assert said.format(min(coordinates), max(coordinates)) in written


def _range(values: list[float]) -> str:
    """Numbers below 1 as the document has them: .10 to .19."""
    return f"{min(values):.2f} to {max(values):.2f}".replace("0.", ".")


def test_the_number_of_networks_beside_those_shown_is_said() -> None:
    others = [path for path in (ROOT / "checkpoints").rglob("*.pt") if path.parent.name != "operations"]
    assert (
        f"with {len(others)} more,\n`interp-analyze checkpoints` shows all" in (ROOT / "docs/howto/checkpoint.md").read_text()
    )
