"""What every command does alike: --version, --quiet, --completion, a closed pipe."""

import subprocess
import sys
import tomllib
from importlib import import_module
from pathlib import Path

import pytest

import interp
from analyses.commands.analyze import main as analyze
from interp.commands.options import Common
from interp.commands.train import main as train

ROOT = Path(__file__).parent.parent.parent
CLOCK = ROOT / "checkpoints" / "zhong-59-rate-1.pt"
COMMANDS: dict[str, str] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
SMALL = ["--p", "7", "--network.d-model", "16", "--network.n-heads", "2", "--network.d-head", "8", "--network.d-mlp", "32"]


def _run(command: str, *arguments: str | Path, code: int = 0) -> str:
    """What a command of the installation prints on standard output, when called in this process."""
    module, _, function = COMMANDS[command].partition(":")
    try:
        ended: object = getattr(import_module(module), function)([str(each) for each in arguments])
    except SystemExit as stopped:
        ended = stopped.code
    assert ended == code
    return command


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_says_its_version_whatever_else_is_asked(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    _run(command, "--version")
    shown = capsys.readouterr()
    assert shown.out.startswith(f"{command} {interp.__version__} (Python 3.") and "torch" in shown.out
    assert shown.out.count("\n") == 1 and shown.err == ""


@pytest.mark.parametrize("command", COMMANDS)
def test_help_names_the_common_options_last_and_breaks_no_sentence(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    _run(command, "--help")
    shown = capsys.readouterr().out
    places = [shown.index(option) for option in ("--quiet", "--version ", "--completion")]
    first = shown.index("-h, --help")
    assert first < places[0] < places[1] < places[2]
    assert "Exit codes: 0" in shown
    text = " ".join(shown.replace("│", " ").split())
    assert "no progress, no remarks. The answer is printed all the same." in text


def test_help_is_in_whole_lines(capsys: pytest.CaptureFixture[str]) -> None:
    """Left to itself tyro breaks a sentence wherever the source does, and the script of a shell has the half as a value."""
    _run("interp-analyze", "--completion", "bash")
    script = capsys.readouterr().out
    assert "(what it computes, how, why we believe it, what is not explained) and its evidence" in script


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(
    ("shell", "files"),
    [
        ("bash", "complete -o bashdefault -o default -F _tyro"),
        ("zsh", "completion_array || _files"),
        ("fish", "complete --command"),
    ],
)
def test_every_command_prints_a_script_that_completes_it_and_files(
    command: str, shell: str, files: str, capsys: pytest.CaptureFixture[str]
) -> None:
    _run(command, "--completion", shell)
    script = capsys.readouterr().out
    assert command in script and "--quiet" in script and files in script and "--no-files" not in script
    _run(command, f"--completion={shell}")
    assert capsys.readouterr().out == script


def test_a_shell_that_is_not_known_is_a_mistake(capsys: pytest.CaptureFixture[str]) -> None:
    _run("interp-analyze", "x.pt", "--completion", "cmd.exe", code=2)
    assert "bash" in capsys.readouterr().err


def test_bash_completes_options_values_measurements_and_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _run("interp-analyze", "--completion", "bash")
    (tmp_path / "completion.bash").write_text(capsys.readouterr().out)
    script = """
        source completion.bash
        complete -p interp-analyze
        ask() {
            COMP_WORDS=(interp-analyze "$@"); COMP_CWORD=$#; COMPREPLY=()
            _tyro_interp_analyze; echo "${COMPREPLY[*]}" | tr '\\n' ' '; echo
        }
        ask --expl
        ask x.pt --only amplitude_profile circ
        ask --expect-circuit ""
    """
    done = subprocess.run(["bash", "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True)
    registered, option, measurements, circuits = (line.strip() for line in done.stdout.splitlines())
    assert registered == "complete -o bashdefault -o default -F _tyro_interp_analyze interp-analyze"  # else no files
    assert option == "--explain"
    assert sorted(measurements.split()) == ["circles", "circularity"]
    assert {"clock", "pizza"} <= set(circuits.split()) and "None" not in circuits.split()


def test_quiet_leaves_the_answer_and_what_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = [str(CLOCK), "--only", "performance", "--html"]
    assert analyze([*asked, str(tmp_path / "loud.html")]) == 0
    loud = capsys.readouterr()
    assert analyze([*asked, str(tmp_path / "quiet.html"), "--quiet"]) == 0
    quiet = capsys.readouterr()
    assert "open it in a browser" in loud.err and quiet.err == "" and quiet.out == loud.out
    assert analyze([str(CLOCK), "--only", "performance", "--expect-circuit", "pizza", "--quiet"]) == 1
    assert "expected circuit pizza, got clock" in capsys.readouterr().err
    assert analyze([str(tmp_path / "none.pt"), "--quiet"]) == 2
    assert "none.pt: cannot be read" in capsys.readouterr().err


def test_quiet_training_says_where_it_ended_and_which_run_failed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert train(["--out", str(tmp_path / "a"), *SMALL, "--train-fraction", ".5", "--steps", "2", "--quiet"]) == 0
    said = capsys.readouterr()
    assert said.err == "" and said.out.startswith(f"{tmp_path / 'a' / 'model.pt'}: step 2, ")
    failing = ["--seeds", "0,1", "--learning-rate", "1e30", "--record-every", "1", "--quiet"]
    assert train(["--out", str(tmp_path), *SMALL, "--train-fraction", ".5", "--steps", "50", *failing]) == 2
    said = capsys.readouterr()
    assert [line.count("training diverged") for line in said.err.splitlines()] == [1, 1]


def test_a_remark_is_printed_unless_it_is_to_be_quiet(capsys: pytest.CaptureFixture[str]) -> None:
    Common().say("remark")
    Common(quiet=True).say("no remark")
    assert capsys.readouterr() == ("", "remark\n")
    assert Common(quiet=True).console().quiet and not Common().console().is_terminal


@pytest.mark.parametrize(
    ("arguments", "reader"),
    [
        ([str(CLOCK), str(ROOT / "checkpoints" / "zhong-59-rate-0.pt"), "--json"], "head -c 10"),
        ([str(CLOCK)], "true"),  # tables, which rich prints
        (["--help"], "true"),
    ],
)
def test_a_closed_pipe_ends_it_quietly_with_141(arguments: list[str], reader: str) -> None:
    command = " ".join([sys.executable, "-m", "analyses.commands.analyze", *arguments])
    script = f"{{ {command}; echo $? >&3; }} | {reader}"
    done = subprocess.run(
        ["bash", "-c", f"exec 3>&1; {script} > /dev/null"], capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert done.stdout == "141\n" and done.stderr == ""
