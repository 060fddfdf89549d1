"""The README's pictures of the page: in a browser as wide as a desk's, and as wide as a phone's (make pictures)."""

import shutil
import tempfile
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from analyses.reports.answer import answer
from analyses.reports.files import write_page
from analyses.reports.page import Subject

HERE = Path(__file__).parent
CHECKPOINTS = HERE.parent / "checkpoints"


def main() -> None:
    """Make both pictures."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        desk = browser.new_context(viewport={"width": 1160, "height": 680})
        shoot(desk.new_page(), page_of(folder, "nanda-113", "zhong-59-rate-0"), "#adding", HERE / "desk.png")
        phone = browser.new_context(viewport={"width": 390, "height": 760}, color_scheme="dark")
        shoot(phone.new_page(), page_of(folder, "nanda-113"), "#adding", HERE / "phone.png")
        browser.close()


def page_of(folder: str, *names: str) -> Path:
    """A page of committed networks, with as much as the pictures show."""
    file = Path(folder) / "page.html"
    write_page(file, [Subject(answer(CHECKPOINTS / f"{name}.pt", only=["one_pair"])) for name in names])
    return file


def shoot(tab: Page, file: Path, place: str, picture: Path) -> None:
    """What is seen once the page has come to a place."""
    tab.goto(file.as_uri())
    tab.wait_for_selector("html[data-ready]")
    tab.evaluate("place => document.querySelector(place).scrollIntoView()", place)
    # A page draws what is near the window, so that only the plots to be seen are waited for.
    height = (tab.viewport_size or {"height": 0})["height"]
    for plot in tab.locator(f"{place} .plot").all():
        if (box := plot.bounding_box()) and box["y"] < height:
            plot.locator(".main-svg").first.wait_for()
    tab.wait_for_timeout(500)
    tab.screenshot(path=picture)


if __name__ == "__main__":
    main()
