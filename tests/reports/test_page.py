"""The page in a real browser, offline: what it shows is what the measurements say."""

import shutil
import struct
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from browser import CLOCK, FAST, FOLDER, PIZZA, opened, require_chromium
from choreographer.errors import ChromeNotFoundError
from suited import of_addition

import analyses
import interp
from analyses.adding.hands import Pair, dial
from analyses.commands.analyze import main
from analyses.findings.finding import Finding
from analyses.findings.table import Table
from analyses.reports.answer import answer
from analyses.reports.files import write_figures, write_page
from analyses.reports.page import Subject
from analyses.timeline.moving_circles import moving_circles
from analyses.timeline.snapshots import readers
from interp.errors import InterpError


def pick(tab: Any, name: str, value: int) -> None:
    """What a hand does with a slider."""
    tab.evaluate("([name, value]) => { const slider = document.getElementById(name); slider.value = value;"
                 " slider.dispatchEvent(new Event('input')); }", [name, value])  # fmt: skip


def traces_of(tab: Any, name: str) -> dict[str, dict[str, Any]]:
    """A figure's traces, by what they are, as the page would draw them now."""
    found = tab.evaluate("name => page.figures[name].data.map(({meta, x, y}) => ({meta, x: [...x], y: [...y]}))", name)
    return {trace["meta"]: trace for trace in found}


@pytest.mark.parametrize(("file", "index"), [(PIZZA, 0), (CLOCK, 1)])
def test_the_sliders_show_what_the_measurement_says_of_each_pair(both: Path, file: Path, index: int) -> None:
    circuit = interp.load(file)
    with opened(both) as tab:
        for a, b in ((0, 0), (58, 1), (17, 30), (41, 41)):
            pick(tab, "a", a)
            pick(tab, "b", b)
            given = int(circuit.logits[a, b].argmax())
            tab.wait_for_function(
                "([index, text]) => document.querySelectorAll('.sum')[index].textContent.startsWith(text)",
                arg=[index, f"{a} + {b} mod 59: the network answers {given}, "],
            )
            expected = analyses.one_pair(circuit, a=a, b=b)
            for hand in expected.hands:
                shown = traces_of(tab, f"dial-{index}-{hand.k}")
                for trace in dial(hand, Pair(p=59, a=a, b=b, answer=given, b_as="b")):
                    got = shown[trace["meta"]]
                    assert got["x"] == pytest.approx(trace["x"], abs=0.01), (a, b, hand.k, trace["meta"])
                    assert got["y"] == pytest.approx(trace["y"], abs=0.01), (a, b, hand.k, trace["meta"])
            logits = traces_of(tab, f"logits-{index}")
            span = max(expected.logits) - min(expected.logits)
            assert logits["logits"]["y"] == pytest.approx(expected.logits, abs=span / 255)
            assert logits["waves"]["y"] == pytest.approx(expected.waves(), abs=0.02 * span)
            assert logits["answer"]["x"] == [given]


def test_the_keyboard_moves_the_sliders_and_what_is_drawn(both: Path) -> None:
    with opened(both) as tab:
        tab.locator(".player").first.scroll_into_view_if_needed()
        tab.wait_for_selector(".dial .main-svg")
        before = tab.locator(".dial").first.inner_html()
        tab.focus("#a")
        for _ in range(5):
            tab.keyboard.press("ArrowRight")
        tab.wait_for_function("document.querySelector('.sum').textContent.startsWith('16 + 19 mod 59: the network answers 35')")
        tab.wait_for_function("before => document.querySelector('.dial').innerHTML !== before", arg=before)


def test_without_scripts_all_text_and_numbers_are_there(both: Path) -> None:
    with opened(both, scripts=False) as tab:
        text = tab.locator("body").inner_text()
        whole = tab.locator("body").text_content()
    for line in (
        "How do these 2 networks compute?",
        "Circuit: pizza (a pizza at 21, 24 and 29).",
        "Circuit: clock (a clock at 21, 24 and 29).",
        "interp-train --recipe zhong-2023 --seed 0 --steps 5000 --network.attention-rate 0.0",
        "The file does not say the device and the number of threads: another device or number of threads",
        "11 + 19 mod 59: the network answers 30",
        "The figures need JavaScript",
        "Amplitude over the distance of the inputs",
    ):
        assert line in text, line
    for table in ("Where the output lives", "Circles of the numbers in the embedding"):
        assert table in (whole or ""), table  # folded, and opened without scripts


def test_the_theme_follows_the_reader_and_the_button(both: Path) -> None:
    paper = "getComputedStyle(document.querySelector('.plot .main-svg')).backgroundColor"
    with opened(both, dark=True) as tab:
        tab.locator(".plot").first.scroll_into_view_if_needed()
        tab.wait_for_selector(".plot .main-svg", state="attached")
        assert tab.evaluate(paper) == tab.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(21, 24, 29)"
        tab.click("#theme")
        tab.wait_for_function(f"{paper} === 'rgb(255, 255, 255)'")
        assert tab.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"


def test_every_figure_is_drawn_and_nothing_is_wider_than_a_phone(page_of_run: Path) -> None:
    with opened(page_of_run, width=390, height=800) as tab:
        places = tab.locator(".plot")
        for index in range(places.count()):
            places.nth(index).scroll_into_view_if_needed()
            places.nth(index).locator(".main-svg").first.wait_for()
        assert tab.evaluate("document.documentElement.scrollWidth") == 390
        names = set(tab.evaluate("Object.keys(page.figures)"))
        assert tab.evaluate("page.drawn.size") == len(names) == places.count()
    shown = {*of_addition(), "progress", "moving_circles"} - {"one_pair", "certificate"}  # the last only with --certify
    assert {f"{name}-0" for name in shown} <= names and "certificate-0" not in names


def test_a_run_s_circles_move_with_the_scrubber(trained: Path, page_of_run: Path) -> None:
    circuit = interp.load(trained / "model.pt")
    keys = analyses.key_frequencies(circuit).frequencies
    moving = moving_circles(readers(trained), keys)
    with opened(page_of_run) as tab:
        assert "How it came about" in tab.locator("main").inner_text()
        tab.locator("#moving_circles-0").scroll_into_view_if_needed()
        slider = tab.locator("#moving_circles-0 .scrub input")
        slider.wait_for()
        slider.focus()
        tab.keyboard.press("Home")
        tab.wait_for_function("document.querySelector('#moving_circles-0 output').textContent === '0'")
        shown = tab.evaluate("page.figures['moving_circles-0'].data.map(({x}) => [...x])")
        for index, first in enumerate(moving.circles[0]):
            scale = first.radius / moving.circles[-1][index].radius
            assert shown[index] == pytest.approx([x * scale for x, _ in first.points], abs=1e-3)
        tab.keyboard.press("End")
        tab.wait_for_function(f"document.querySelector('#moving_circles-0 output').textContent === '{moving.steps[-1]}'")


def test_a_page_of_the_largest_usual_network_is_small(tmp_path: Path) -> None:
    # What is left out are slow measurements, whose figures are some 30 points each.
    assert write_page(tmp_path / "page.html", [Subject(answer(FOLDER / "quick-113.pt", only=FAST))]) < 7.5e6
    assert [path.name for path in tmp_path.iterdir()] == ["page.html"]


def test_a_name_from_outside_is_text_and_no_markup(tmp_path: Path) -> None:
    named = tmp_path / "<img src=x onerror=alert(1)>.pt"
    shutil.copy(PIZZA, named)
    write_page(tmp_path / "page.html", [Subject(answer(named, only=["performance"]))])
    assert "<img" not in (tmp_path / "page.html").read_text().split("<script")[0]


@dataclass(frozen=True)
class Unfinished(Finding):
    """A measurement of one's own, before it has a figure."""

    def table(self) -> Table:
        return Table("How <even> is it?", ("number",), ((2,),), "a note")


def test_a_finding_without_a_figure_is_shown_as_its_table(tmp_path: Path) -> None:
    given = answer(PIZZA, only=["performance"])
    write_page(tmp_path / "page.html", [Subject(replace(given, findings={**given.findings, "mine": Unfinished()}))])
    shown = (tmp_path / "page.html").read_text().split("<script")[0]
    assert "How &lt;even&gt; is it?" in shown and 'data-figure="mine-0"' not in shown


def test_a_page_that_cannot_be_written_is_refused_before_the_work(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(PIZZA), "--html", str(tmp_path / "missing" / "page.html")]) == 2
    assert main([str(PIZZA), "--html", str(tmp_path)]) == 2
    output = capsys.readouterr()
    assert (
        output.out == ""
        and output.err.count("\n") == 2
        and "is no directory" in output.err
        and "it is a directory" in output.err
    )


def test_too_many_logits_are_left_out_and_that_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("analyses.reports.page.assemble.MOST_LOGITS", 59**3 - 1)
    file = tmp_path / "page.html"
    write_page(file, [Subject(answer(PIZZA, only=["one_pair"]))])
    assert "too many logits to carry along" in file.read_text()
    with opened(file) as tab:
        pick(tab, "a", 3)
        tab.wait_for_function("document.querySelector('.sum').textContent.startsWith('3 + 19 mod 59: the network answers 22')")
        shown = traces_of(tab, "logits-0")
        assert shown["logits"]["y"] == shown["waves"]["y"]


def test_figures_are_written_as_png_and_svg(trained: Path, tmp_path: Path) -> None:
    require_chromium()
    given = answer(trained / "model.pt", only=["circles", "performance"])
    heard: list[str] = []
    assert write_figures(tmp_path / "new" / "figures", [Subject(given), Subject(given)], heard.append) == 8
    names = sorted(path.name for path in (tmp_path / "new" / "figures").iterdir())
    stems = ("small-circles", "small-performance", "small-2-circles", "small-2-performance")
    assert names == sorted(heard) == sorted(f"{stem}.{kind}" for stem in stems for kind in ("png", "svg"))
    picture = (tmp_path / "new" / "figures" / "small-circles.png").read_bytes()
    assert picture[:8] == b"\x89PNG\r\n\x1a\n" and struct.unpack(">I", picture[16:20]) == (1800,)
    assert "in units of the mean radius" in (tmp_path / "new" / "figures" / "small-circles.svg").read_text()


def test_the_command_writes_every_figure(trained: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[str] = []

    def instead(directory: Path, subjects: list[Subject], progress: object, *, only: object, style: object) -> int:
        written.extend(name for subject in subjects for name in subject.answer.findings)
        return 2 * len(written)

    monkeypatch.setattr("analyses.commands.analyze.write_figures", instead)
    assert main([str(trained / "model.pt"), "--figures", "anywhere"]) == 0
    assert sorted(written) == sorted({*of_addition()} - {"certificate"})
    written.clear()
    assert main([str(trained / "model.pt"), "--certify", "--figures", "anywhere"]) == 0
    assert sorted(written) == sorted(of_addition())


def test_without_a_browser_figures_are_refused_in_one_line(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing() -> None:
        raise ChromeNotFoundError("none")

    monkeypatch.setattr("kaleido.Kaleido", missing)
    with pytest.raises(InterpError, match="needs Chrome or Chromium to draw: install one"):
        write_figures(tmp_path, [Subject(answer(trained / "model.pt", only=["performance"]))], print)
