"""interp-analyze in a real terminal of 80 columns: nothing wider, no number broken, colour only where it means something."""

import fcntl
import math
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from dataclasses import replace
from pathlib import Path

import pytest
from rich.cells import cell_len
from rich.console import Console

from analyses.findings.measurement import in_order
from analyses.findings.sparkline import BLOCKS, sparkline
from analyses.findings.table import Table
from analyses.findings.terminal import marked
from interp.networks.config import Architecture
from interp.recipe import RECIPES
from interp.training import run
from interp.training.run_config import RunConfig

ROOT = Path(__file__).parent.parent.parent
CLOCK = ROOT / "checkpoints" / "zhong-59-rate-1.pt"
WIDTH = 80
CODE = re.compile(r"\x1b\[([0-9;]*)m")
COLOURED = re.compile(r"\x1b\[(?:\d+;)*(?:3\d|9\d)(?:;\d+)*m")


def _environment(**changes: str) -> dict[str, str]:
    chosen = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "FORCE_COLOR", "COLORTERM")}
    return {**chosen, "TERM": "xterm-256color", **changes}


def _in_terminal(*arguments: str | Path, **environment: str) -> str:
    """What interp-analyze writes to a terminal of 80 columns."""
    ours, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 24, WIDTH, 0, 0))
    command = [sys.executable, "-m", "analyses.commands.analyze", *arguments]
    env = _environment(COLUMNS=str(WIDTH), **environment)
    with subprocess.Popen(command, stdout=its, stderr=subprocess.PIPE, cwd=ROOT, env=env) as process:
        os.close(its)
        written = b""
        while True:
            try:
                read = os.read(ours, 1 << 16)
            except OSError:  # how Linux says that the other end is closed
                break
            if not read:
                break
            written += read
        os.close(ours)
        assert process.stderr is not None
        errors = process.stderr.read().decode()
    assert process.returncode == 0, errors
    return written.decode().replace("\r\n", "\n")


def _plain(written: str) -> str:
    """Without the codes; no line may be wider than the terminal."""
    text = CODE.sub("", written)
    assert "\x1b" not in text
    assert [line for line in text.splitlines() if cell_len(line) > WIDTH] == []
    return text


def _rows(text: str, title: str) -> list[str]:
    """The lines between a title and the next empty line."""
    return text.split(f"{title}\n", 1)[1].split("\n\n")[0].splitlines()


def test_every_table_of_a_report_fits() -> None:
    written = _in_terminal("checkpoints/quick-113.pt", "--explain", "--only", *in_order(slow=False))
    text = _plain(written)
    assert "a + b mod 113, a one-layer transformer: it generalises, with 12769 of 12769 \npairs right" in text
    for title in (
        "Explained: yes",
        "The ladder",
        "Memory",
        "Surrogates",
        "Phase law",
        "Interventions at the key",
        "Where the output lives",
    ):
        assert title in text
    # All of a table's columns stand side by side, and what they say is whole.
    for title, columns in (
        ("Interventions at the key frequencies", "share of site edit pairs same edit beaten as large beaten"),
        (
            "Surrogates: neurons cut down to a few waves",
            "of the its neurons in its place numbers output answers right KL margin",
        ),
        ("Explained: yes, by rung 1: formula", "of the finding output evidence holds"),
    ):
        heading = _rows(text, title)[: next(i for i, row in enumerate(_rows(text, title)) if "──" in row)]
        assert " ".join(" ".join(heading).split()) == columns
    assert re.search(r"^k = 11  pizza, coordinate 1.10  +0.4032  148 neurons, R 0.9978, disc +yes$", text, re.MULTILINE)
    assert re.search(r"^pre-activations  knock out +0.99\d+  0.9\d\d–1.000  no +0.9\d\d–1.000  no *$", text, re.MULTILINE)
    # Spectra: one block per frequency, the key ones high; the pizza's profile falls to nothing half way round, a clock's not.
    t = next(line for line in text.splitlines() if line.startswith("t_k  ")).removeprefix("t_k  ")
    assert len(t) == 56 and [k for k, block in enumerate(t, start=1) if block > "▃"] == [6, 7, 11, 38]
    clock, pizza = (next(line for line in text.splitlines() if re.match(rf"k = {k} +[▁-█]+$", line)) for k in (7, 11))
    assert "▁" in pizza and pizza.endswith("█") and set(clock.split()[-1]) <= set("▆▇█")
    # A cell is coloured by what it says, the words of a note or title are not.
    assert "\x1b[33mpizza\x1b[0m, coordinate 1.10" in written and "\x1b[94mclock\x1b[0m or pizza" not in written
    assert "Circuit: \x1b[32mhybrid\x1b[0m (both" in written
    assert "a \x1b[94mclock\x1b[0m at 6, 7 and 38, a \x1b[33mpizza\x1b[0m at 11" in written.replace("\n", " ")


def test_the_rows_of_a_directory_fit(tmp_path: Path) -> None:
    for name in ("zhong-59-rate-0", "memorising-59", "nanda-113-step-9400"):
        (tmp_path / f"{name.replace('113-', '')}.pt").symlink_to(CLOCK.parent / f"{name}.pt")
    text = _plain(_in_terminal(tmp_path))
    title, table = text.split("\nfile ", 1)
    # The directory is said once, however long; its files have a row each.
    assert title.replace("\n", "").replace(" ", "") == f"{tmp_path}:3filesnot".replace(" ", "")
    columns, _, memorising, nanda, zhong = f"file {table}".split("\n\n")[0].splitlines()
    assert columns.split() == ["file", "p", "accuracy", "frequencies", "circuit", "explained"], "below not"
    assert re.fullmatch(r"memorising-59.pt +59 +0.2048  none +not generalising +1", memorising)
    assert re.fullmatch(r"nanda-step-9400.pt  113 +0.7135  14 35 41 42 52  not generalising +0.3309", nanda)
    assert re.fullmatch(r"zhong-59-rate-0.pt +59 +1  21 24 29 +pizza +0.0005", zhong)


def test_the_timeline_of_a_run_fits(tmp_path: Path) -> None:
    network = Architecture(d_model=16, n_heads=2, d_head=8, d_mlp=64, answers_equals=False)
    recipe = replace(RECIPES["steady"], p=11, network=network, train_fraction=0.8, steps=120, stop_test_loss=0.0)
    list(run.create(tmp_path / "run", RunConfig(recipe=recipe, seed=0)).train())
    text = _plain(_in_terminal(tmp_path / "run"))
    first = _rows(text, "Timeline, a + b mod 11")[0].split()
    assert first[:6] == ["step", "phase", "train", "test", "accuracy", "restricted"]
    for curve in ("train", "test", "accuracy", "restricted", "excluded"):
        assert re.search(rf"^{curve} +[▁-█]+$", text, re.MULTILINE)
    assert "The final key frequencies through time" in text


def test_colours_are_left_out_where_they_are_not_wanted() -> None:
    shown = (CLOCK, "--only", "amplitude_profile")
    coloured = _in_terminal(*shown)
    assert COLOURED.search(coloured) and "Circuit: \x1b[94mclock\x1b[0m" in coloured
    none = _in_terminal(*shown, NO_COLOR="1")
    assert set(CODE.findall(none)) <= {"0", "1", "2"}  # bold and dim may stay
    assert _in_terminal(*shown, TERM="dumb") == _plain(none) == _plain(coloured)


def test_what_is_piped_has_no_codes_and_whole_lines() -> None:
    command = [sys.executable, "-m", "analyses.commands.analyze", str(CLOCK)]
    piped = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT, env=_environment()).stdout
    assert "\x1b" not in piped and "…" not in piped.replace("k = 1 …", "").replace("mod p: 0 …", "")
    assert piped.splitlines()[2].endswith("changed by 0.13.")


NUMBERS = tuple((float(f"{1.2345678e-6 * 7**i:.4g}"), f"{i} of them") for i in range(8))


@pytest.mark.parametrize("width", [40, 60, 80, 240])
def test_numbers_are_never_broken_and_columns_never_lost(width: int) -> None:
    names = [f"column {i}" for i in range(12)]
    rows = tuple((step, *(value * (i + 1) for i, (value, _) in zip(range(12), NUMBERS * 2, strict=False))) for step in (0, 100))
    table = Table("Wide", ("step", *names), rows)
    shown = _printed(table, width)
    assert max(map(len, shown.splitlines())) <= width
    for cell in (cell for row in table.text_rows() for cell in row):
        assert re.search(rf"(^|\s){re.escape(cell)}(\s|$)", shown), cell
    assert all(name in shown for name in names)
    # Every part begins with the first column.
    parts = shown.removeprefix("Wide\n").strip("\n").split("\n\n")
    assert all(part.split()[0] == "step" for part in parts) and (len(parts) == 1) == (width == 240)


def test_words_are_wrapped_before_a_table_is_shown_in_parts() -> None:
    rule = "the excluded loss is least here, and its range is up to twice that of the least one of all"
    shown = _printed(Table("", ("phase", "rule", "step"), (("circuit formation", rule, 1300),)), 60)
    assert [line.split()[0] for line in shown.splitlines()[:1]] == ["phase"] and "\n\n" not in shown.strip()
    assert max(map(len, shown.splitlines())) <= 60
    assert rule not in shown  # it goes on in the next line
    for word in rule.split():
        assert word in shown
    path = "a-directory-of-many-runs-with-long-names/quick-p113-seed0/model.pt"
    shown = _printed(Table("", ("file", "p"), ((path, 113),)), 40)
    assert path in "".join(line.split()[0] for line in shown.splitlines()[2:])


def test_a_table_without_rows_or_columns_is_shown() -> None:
    assert _printed(Table("lacking: not for this network", (), (), "no neurons"), 80).split("\n\n") == [
        "lacking: not for this network", "no neurons\n",
    ]  # fmt: skip
    assert "k  verdict" in _printed(Table("Amplitude", ("k", "verdict"), ()), 80)


def test_only_what_means_something_is_coloured() -> None:
    cells = ("hybrid, borderline", "mixture", "clock or pizza, 4 numbers", "none", "no", False, True)
    shown = _printed(Table("", tuple("abcdefg"), (cells,)), 120, coloured=True)
    row = shown.splitlines()[-1]
    assert [(code, word) for code, word in re.findall(r"\x1b\[([0-9;]+)m([^\x1b]+)\x1b\[0m", row)] == [
        ("32", "hybrid"), ("31", " borderline"), ("36", "mixture"), ("1;31", "no"),
    ]  # fmt: skip
    assert [(str(span.style), span.start) for span in marked("Explained: no. It does not generalise.").spans] == [
        ("bold red", 11)
    ]
    assert marked("Explained: yes. A formula of 4 numbers (clock or pizza) can take its place.").spans == []
    assert marked("Key frequencies: none").spans == marked("Verdict: no grokking here").spans == []


def test_str_and_rich_show_sparklines() -> None:
    table = Table("Spectrum", ("k", "share"), ((3, 0.5),), "a note", (("share", (0.0, 0.5, 1.0)),), "k = 1 … 3")
    shown = _printed(table, 80)
    assert shown.endswith("\n\nshare  ▁▅█\n       k = 1 … 3\n\na note\n")
    many = replace(table, sparklines=(("share", (0.0,) * 112 + (1.0,)),))
    assert "       k = 1 … 3, the largest of 2 in a block" in _printed(many, 80)
    for line in _printed(many, 40).splitlines():
        assert len(line) <= 47


def _printed(table: Table, width: int, *, coloured: bool = False) -> str:
    console = Console(width=width, force_terminal=coloured, color_system="standard" if coloured else None)
    with console.capture() as capture:
        console.print(table)
    return "\n".join(line.rstrip() for line in capture.get().split("\n"))


def test_a_sparkline_begins_at_0_and_ends_at_the_largest() -> None:
    assert sparkline([float(i) for i in range(8)]) == BLOCKS
    assert sparkline([0.9, 1.0, 0.95]) == sparkline([90.0, 100.0, 95.0])  # whatever the unit
    assert set(sparkline([0.9, 1.0, 0.95])) <= {"█", "▇"}  # nearly equal looks flat
    assert sparkline([]) == "" and sparkline([0.0, 0.0]) == "▁▁" and sparkline([5.0, 5.0, 5.0]) == "███"


def test_a_sparkline_of_negative_undefined_and_huge_numbers() -> None:
    assert sparkline([-2.0, 0.0, 2.0]) == "▁▅█" and sparkline([-1.0, -1.0]) == "▁▁" and sparkline([-4.0, 0.0]) == "▁█"
    assert sparkline([math.nan, 1.0, math.inf, 0.0, -math.inf]) == " █ ▁ " and sparkline([math.nan] * 2) == "  "
    assert sparkline([-1.7e308, 1.7e308, 0.0]) == "▁█▅" and sparkline([5e-324, 0.0])[1] == "▁"


@pytest.mark.parametrize("count", [1, 7, 59, 60, 61, 113, 1000])
@pytest.mark.parametrize("width", [1, 20, 60])
def test_a_sparkline_is_pooled_by_its_maximum(count: int, width: int) -> None:
    for peak in (0, count // 2, count - 1):
        line = sparkline([1.0 if i == peak else math.nan if i % 5 == 1 else 0.0 for i in range(count)], width)
        assert len(line) <= width and line.count("█") == 1
        size = math.ceil(count / width)
        assert line.index("█") == peak // size and len(line) == math.ceil(count / size)
