"""Figures for a paper: those that were asked for, in the format, width and letters that were asked for."""

import re
import struct
from pathlib import Path

import pytest
from browser import require_chromium

import analyses
import interp
from analyses.commands.analyze import main
from analyses.findings.drawing import WIDTH
from analyses.findings.picture import AS_ON_A_PAGE, PictureStyle
from analyses.reports.answer import answer
from analyses.reports.files import write_figures
from analyses.reports.page import Subject
from interp.errors import InterpError

CLOCK = Path(__file__).parent.parent.parent / "checkpoints" / "zhong-59-rate-1.pt"


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, PictureStyle]]:
    """The pictures that a command would draw."""
    asked: list[tuple[str, PictureStyle]] = []

    def instead(directory: object, figures: object, progress: object, style: PictureStyle) -> int:
        asked.extend((name, style) for name, _ in figures)  # type: ignore[attr-defined]
        return len(asked)

    monkeypatch.setattr("analyses.reports.files.write_pictures", instead)
    monkeypatch.setattr("analyses.commands.comparing.write_pictures", instead)
    return asked


def test_figures_are_those_of_only(small_run: Path, written: list[tuple[str, PictureStyle]]) -> None:
    assert main([str(CLOCK), "--figures", "x", "--only", "circles", "circularity", "--quiet"]) == 0
    assert [name for name, _ in written] == ["zhong-59-rate-1-circles", "zhong-59-rate-1-circularity"]
    written.clear()
    assert main([str(small_run), "--figures", "x", "--only", "progress", "--figure-format", "pdf", "--quiet"]) == 0
    assert written == [("by.heart-progress", PictureStyle(figure_format="pdf"))]  # the folder's whole name
    written.clear()
    assert main([str(small_run), "--figures", "x", "--only", "performance", "--quiet"]) == 0
    assert [name for name, _ in written] == ["by.heart-performance"]
    written.clear()
    assert main([str(CLOCK), "--compare", str(small_run), "--figures", "x", "--figure-untitled", "--quiet"]) == 0
    assert written == [("zhong-59-rate-1-and-by.heart", PictureStyle(figure_untitled=True))]


def test_a_page_shows_everything_whatever_only_says(tmp_path: Path, written: list[tuple[str, PictureStyle]]) -> None:
    page = tmp_path / "page.html"
    assert main([str(CLOCK), "--only", "circles", "--html", str(page), "--figures", "x", "--quiet"]) == 0
    assert '<figure id="circularity-0">' in page.read_text()
    assert [name for name, _ in written] == ["zhong-59-rate-1-circles"]


def test_letters_and_width_are_as_asked_and_a_paper_has_its_own_title() -> None:
    figure = analyses.clock_or_pizza(interp.load(CLOCK)).figure()
    usual, paper = AS_ON_A_PAGE.drawn(figure), PictureStyle(figure_width=3.25, figure_font_size=8.0).drawn(figure)
    assert usual.layout.width == WIDTH and paper.layout.width == 312  # 96 pixels an inch
    assert usual.layout.template.layout.font.size == 13
    assert paper.layout.template.layout.font.size == pytest.approx(8 * 96 / 72)
    assert paper.layout.template.layout.xaxis.title.font.size == pytest.approx(8 * 96 / 72)
    caption = "Every mark is a key frequency."
    assert any(caption in each.text for each in usual.layout.annotations) and usual.layout.title.text.startswith("Circuit")
    assert max(map(len, paper.layout.title.text.split("<br>"))) < len(usual.layout.title.text)
    bare = PictureStyle(figure_untitled=True).drawn(figure)
    assert bare.layout.title.text is None and not any(caption in (each.text or "") for each in bare.layout.annotations)
    assert bare.layout.height < usual.layout.height
    assert figure.layout.title.text and figure.layout.width is None, "the figure itself is as it was"


def test_between_the_axes_the_ratio_stays() -> None:
    figure = analyses.circularity(interp.load(CLOCK)).figure()

    def ratio(style: PictureStyle) -> float:
        drawn = style.drawn(figure)
        return (drawn.layout.height - drawn.layout.margin.t - drawn.layout.margin.b) / drawn.layout.width

    assert ratio(PictureStyle(figure_width=6.0)) == pytest.approx(ratio(AS_ON_A_PAGE), rel=0.01)
    narrow = PictureStyle(figure_width=2.0, figure_font_size=12.0).drawn(figure)
    assert narrow.layout.height - narrow.layout.margin.t - narrow.layout.margin.b == 140  # never less


@pytest.mark.parametrize(("width", "size"), [(0.5, None), (41, None), (None, 3), (None, 41)])
def test_impossible_sizes_are_refused(width: float | None, size: float | None) -> None:
    with pytest.raises(InterpError, match=r"expected --figure-(width|font-size)"):
        PictureStyle(
            figure_width=None if width is None else float(width), figure_font_size=None if size is None else float(size)
        )


def test_a_pdf_has_the_width_that_was_asked_and_a_png_twice_its_pixels(tmp_path: Path) -> None:
    require_chromium()
    given = Subject(answer(CLOCK, only=["circularity"]))
    for style in (PictureStyle(figure_format="pdf", figure_width=5.5), PictureStyle(figure_format="png", figure_width=5.5)):
        assert write_figures(tmp_path, [given], lambda picture: None, style=style) == 1
    pdf, png = ((tmp_path / f"zhong-59-rate-1-circularity.{kind}").read_bytes() for kind in ("pdf", "png"))
    (width,) = re.findall(rb"/MediaBox \[0 0 ([0-9.]+) [0-9.]+\]", pdf)
    assert float(width) == 5.5 * 72
    assert struct.unpack(">I", png[16:20]) == (5.5 * 96 * 2,)
