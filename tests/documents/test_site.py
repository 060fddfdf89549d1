"""The site: it is built without a warning, needs no network, and has what the code says."""

import re
import subprocess
import sys
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest
import yaml
from browser import opened, violations
from examples import ROOT

from analyses.findings.measurement import in_order

pytestmark = pytest.mark.slow
READY = ".md-content"
"""What a page has."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, as make docs builds it."""
    folder = tmp_path_factory.mktemp("site")
    done = build(ROOT, folder)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def build(project: Path, into: Path) -> "subprocess.CompletedProcess[str]":
    """What make docs runs, elsewhere."""
    (recipe,) = re.findall(r"\$\(BIN\)/mkdocs (.*)", (ROOT / "Makefile").read_text())
    command = [str(Path(sys.executable).parent / "mkdocs"), *recipe.split(), "--site-dir", str(into)]
    return subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[in order](#top)", ""),
        ("[gone](gone.md)", "gone.md"),
        ("[gone](#gone)", "#gone"),
        ("[gone](other.md#gone)", "other.md#gone"),
        ("![gone](gone.png)", "gone.png"),
    ],
)
def test_what_leads_nowhere_is_refused(tmp_path: Path, text: str, said: str) -> None:
    validation = yaml.safe_load((ROOT / "mkdocs.yml").read_text())["validation"]
    nav = ["index.md", "other.md"]
    (tmp_path / "mkdocs.yml").write_text(yaml.safe_dump({"site_name": "small", "validation": validation, "nav": nav}))
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "index.md").write_text(f"# Top\n\n{text}\n")
    (tmp_path / "docs" / "other.md").write_text("# Other\n")
    done = build(tmp_path, tmp_path / "site")
    assert (done.returncode, said in done.stderr) == (1 if said else 0, True), done.stderr
    (tmp_path / "docs" / "forgotten.md").write_text("# In no menu\n")
    assert build(tmp_path, tmp_path / "site").returncode == 1


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
        tab.click("input[name=query]")
        tab.keyboard.type("halfway")
        tab.wait_for_selector(".md-search-result__item", timeout=120_000)  # the index is made first
        assert any("Pizza" in each for each in tab.locator(".md-search-result__item").all_inner_texts())


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("page", ["index", "concepts/fourier", "reference/commands", "notebooks/1_a_first_look"])
def test_a_phone_shows_it_without_scrolling_sideways(site: Path, page: str, dark: bool) -> None:
    with opened(site / f"{page}.html", width=390, height=844, dark=dark, ready=READY) as tab:
        assert tab.evaluate("document.documentElement.scrollWidth") <= 390


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize(
    "page", ["index", "concepts/fourier", "certificates", "reference/commands", "notebooks/course/1_the_fourier_basis"]
)
def test_axe_finds_nothing_serious(site: Path, page: str, dark: bool) -> None:
    with opened(site / f"{page}.html", dark=dark, ready=READY) as tab:
        assert violations(tab) == []
