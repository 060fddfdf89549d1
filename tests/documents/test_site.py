"""The site: it is built without a warning, needs no network, and has what the code says."""

import re
import subprocess
import sys
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest
from browser import opened
from examples import ROOT

from analyses.findings.measurement import in_order

pytestmark = pytest.mark.slow
READY = ".md-content"
"""What a page has."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, as make docs builds it."""
    folder = tmp_path_factory.mktemp("site")
    command = [str(Path(sys.executable).parent / "mkdocs"), "build", "--strict", "--quiet", "--site-dir", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def pages(site: Path) -> Iterator[tuple[str, str]]:
    """(name, HTML) of every page."""
    for path in sorted(site.rglob("*.html")):
        yield str(path.relative_to(site)), path.read_text()


def test_nothing_comes_from_a_server(site: Path) -> None:
    loaded = re.compile(
        r"<(?:script|img|iframe|source)\b[^>]*\bsrc=[\"']?(?:https?:)?//|<link\b[^>]*\bhref=[\"']?(?:https?:)?//"
    )
    count = 0
    for name, html in pages(site):
        assert not loaded.search(html), (name, loaded.search(html))
        count += 1
    assert count > 40
    for sheet in site.rglob("*.css"):
        assert not re.search(r"(?:url\(|@import )[\"']?(?:https?:)?//", sheet.read_text()), sheet


def test_every_option_of_every_command_is_in_it(site: Path) -> None:
    shown = unescape(re.sub(r"<[^>]+>", "", (site / "reference" / "commands.html").read_text()))
    for path in Path(sys.executable).parent.glob("interp-*"):
        helped = subprocess.run([path, "--help"], capture_output=True, text=True, check=True).stdout
        options = set(re.findall(r"^│ (--[a-z][\w.-]*)", helped, re.MULTILINE))
        assert options and options <= set(re.findall(r"--[a-z][\w.-]*", shown)), path.name


def test_every_measurement_is_in_it(site: Path) -> None:
    html = (site / "reference" / "measurements.html").read_text()
    assert all(re.search(rf'id="analyses\.\w+\.{name}\.{name}"', html) for name in in_order())


def test_the_glossary_and_the_formats_are_in_it(site: Path) -> None:
    assert 'id="key-frequency"' in (site / "glossary.html").read_text()
    assert "RUN/resume.pt" in (site / "reference" / "files.html").read_text()


def test_it_can_be_searched_where_there_is_no_server(site: Path) -> None:
    with opened(site / "index.html", ready=READY) as tab:
        tab.fill("input[name=query]", "halfway")
        tab.wait_for_selector(".md-search-result__item")
        assert any("Pizza" in each for each in tab.locator(".md-search-result__item").all_inner_texts())


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("page", ["index", "concepts/fourier", "reference/commands", "notebooks/1_a_first_look"])
def test_a_phone_shows_it_without_scrolling_sideways(site: Path, page: str, dark: bool) -> None:
    with opened(site / f"{page}.html", width=390, height=844, dark=dark, ready=READY) as tab:
        assert tab.evaluate("document.documentElement.scrollWidth") <= 390
