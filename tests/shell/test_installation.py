"""What a user gets who has no clone: a wheel with the networks in it, types, and an interp.example that finds them."""

import subprocess
import sys
import zipfile
from pathlib import Path

import jedi
import pytest

import interp
from interp.errors import InterpError
from interp.files import examples

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an installation from a wheel, built from the files that git knows."""
    folder = tmp_path_factory.mktemp("wheel")
    files = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    for file in files:
        if file.startswith(("interp/", "analyses/", "checkpoints/")) or "/" not in file:
            (folder / "source" / file).parent.mkdir(parents=True, exist_ok=True)
            (folder / "source" / file).write_bytes((ROOT / file).read_bytes())
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    build: list[str | Path] = [
        *pip,
        "wheel",
        "--no-deps",
        "--no-build-isolation",
        "--no-index",
        "--wheel-dir",
        folder,
        folder / "source",
    ]
    subprocess.run(build, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    assert wheel.name.startswith(f"interp-{interp.__version__}-")
    zipfile.ZipFile(wheel).extractall(folder / "site-packages")  # what pip does with a wheel of pure Python
    return folder / "site-packages"


def test_every_network_works_from_a_wheel(installed: Path) -> None:
    code = (
        "import interp, analyses; print(interp.__file__, interp.__version__, *interp.examples());"
        "print(analyses.key_frequencies(interp.example('nanda-113')).frequencies, interp.example('operations/s5').task.label)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=installed.parent, env={"PYTHONPATH": str(installed)}, capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    where, found = done.stdout.splitlines()
    file, version, *names = where.split()
    assert Path(file).is_relative_to(installed) and version == interp.__version__
    committed = sorted(path.relative_to(ROOT / "checkpoints") for path in (ROOT / "checkpoints").rglob("*.pt"))
    assert names == sorted(path.with_suffix("").as_posix() for path in committed) and "nanda-113" in names
    assert found == "(14, 35, 41, 42, 52) S5"
    for path in committed:
        assert (installed / "interp" / "checkpoints" / path).read_bytes() == (ROOT / "checkpoints" / path).read_bytes()


def test_the_wheel_has_types_and_pages_and_nothing_of_the_tests(installed: Path) -> None:
    for file in ("interp/py.typed", "analyses/py.typed", "analyses/__init__.pyi", "analyses/reports/page/page.js"):
        assert (installed / file).is_file()
    assert {path.name for path in installed.iterdir()} == {"analyses", "interp", f"interp-{interp.__version__}.dist-info"}


def test_in_a_clone_the_networks_are_those_of_the_repository() -> None:
    assert interp.example("zhong-59-rate-1").step == 5000
    assert set(interp.examples()) >= {"nanda-113", "nanda-113-step-0", "operations/d13", "corruption/inverted-97"}


@pytest.mark.parametrize("name", ["nothing", "../pyproject", "nanda-113.pt", "", "operations/../nanda-113", "\x1b[31m"])
def test_a_name_that_is_none_is_refused_with_those_that_there_are(name: str) -> None:
    with pytest.raises(InterpError, match=r"expected one of the networks corruption/coexistence-97, .*, got ") as refused:
        interp.example(name)
    assert str(refused.value).isprintable()


def test_an_installation_without_networks_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(examples, "_PACKAGE", tmp_path / "interp")
    with pytest.raises(InterpError, match="has no networks: install it from its wheel"):
        interp.example("nanda-113")


SNIPPET = """\
import analyses
import interp

circuit = interp.example("nanda-113")
reveal_type(circuit)
reveal_type(circuit.step)
reveal_type(analyses.key_frequencies(circuit).frequencies)
reveal_type(analyses.amplitude_profile(circuit).profiles[0].coordinate)
reveal_type(analyses.clock_or_pizza(circuit).coordinate)
reveal_type(analyses.report(circuit).answer.performance.accuracy)
reveal_type(analyses.compare(circuit, circuit).a.step)
reveal_type(analyses.progress("runs/one").moments[0].test_loss)
analyses.key_frequencies(circuit).frequency
analyses.key_frequency(circuit)
"""


@pytest.mark.slow
def test_a_type_checker_knows_what_every_result_holds(tmp_path: Path) -> None:
    (tmp_path / "snippet.py").write_text(SNIPPET)
    command = [sys.executable, "-m", "mypy", "--config-file", "pyproject.toml", str(tmp_path / "snippet.py")]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stdout
    revealed = [line.partition("Revealed type is ")[2].strip('"') for line in said.splitlines() if "Revealed" in line]
    assert revealed == [
        "interp.circuit.Circuit", "int | None", "tuple[int, ...]", "float", "float", "float", "int | None", "float",
    ]  # fmt: skip
    assert '"KeyFrequencies" has no attribute "frequency"; maybe "frequencies"?' in said
    assert 'Module has no attribute "key_frequency"; maybe "key_frequencies"?' in said


@pytest.mark.parametrize(
    ("expression", "names"),
    [
        ("analyses.key_frequencies(circuit).", {"frequencies", "strengths", "table", "figure", "to_dataframe"}),
        ("analyses.clock_or_pizza(circuit).", {"verdict", "coordinate", "margin", "to_dict"}),
        ("analyses.report(circuit).answer.", {"performance", "circuit_name", "to_dict"}),
        ("analyses.compare(circuit, circuit).", {"a", "b", "frequencies", "differing"}),
        ("analyses.progress('runs/one').", {"moments", "phases", "key_frequencies", "to_dataframe"}),
        ("circuit.", {"step", "logits", "neurons", "with_activation"}),
        ("interp.", {"example", "examples", "load"}),
    ],
)
def test_an_editor_completes_results(expression: str, names: set[str]) -> None:
    code = f"import analyses, interp\ncircuit = interp.example('nanda-113')\n{expression}"
    editor = jedi.Script(code, project=jedi.Project(ROOT))
    assert names <= {found.name for found in editor.complete(3, len(expression))}
