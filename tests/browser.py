"""A real browser, offline, and the networks whose pages it opens; one that is missing is said, and on CI it is a failure."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, sync_playwright
from suited import of_addition

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

FOLDER = Path(__file__).parent.parent / "checkpoints"
PIZZA, CLOCK = FOLDER / "zhong-59-rate-0.pt", FOLDER / "zhong-59-rate-1.pt"
FAST = [*of_addition(slow=False), "one_pair", "residual"]
"""Measurements that a page of them shows in tests, in which it must not take long."""


def require_chromium() -> str:
    """Where the browser is; the test that asks is skipped where there is none, and fails on CI."""
    if CHROMIUM is None:
        message = "needs Chromium, which is not installed here (Debian: apt-get install chromium)"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    return CHROMIUM


@contextmanager
def opened(
    file: Path,
    *,
    width: int = 1200,
    height: int = 900,
    scripts: bool = True,
    dark: bool = False,
    ready: str = "html[data-ready]",
) -> Iterator[Page]:
    """The file in a browser without a network, once it has what says that it is ready; fails at the end if the console had a
    word to say."""
    said: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=require_chromium(), args=["--no-sandbox"])
        look: Any = "dark" if dark else "light"
        size: Any = {"width": width, "height": height}
        context = browser.new_context(viewport=size, offline=True, java_script_enabled=scripts, color_scheme=look)
        tab = context.new_page()
        tab.on("console", lambda message: said.append(message.text))
        tab.on("pageerror", lambda error: said.append(str(error)))
        tab.on(
            "request", lambda request: None if request.url.startswith(("file:", "data:", "blob:")) else said.append(request.url)
        )
        tab.goto(file.as_uri())
        if scripts:
            tab.wait_for_selector(ready, timeout=60_000)
        yield tab
        browser.close()
    assert said == []


def violations(tab: Page) -> list[str]:
    """What axe-core finds wrong that is serious or critical: the rule, and the first place."""
    tab.evaluate((files("axe_playwright_python") / "axe.min.js").read_text())
    found = tab.evaluate("axe.run(document, {resultTypes: ['violations'], preload: false})")["violations"]
    return [f"{each['id']}: {each['nodes'][0]['html'][:200]}" for each in found if each["impact"] in ("serious", "critical")]
