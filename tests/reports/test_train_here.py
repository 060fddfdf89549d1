"""The panel that trains a network in the browser, under somebody's hands."""

import json
from pathlib import Path

import pytest
from browser import PIZZA, opened

from analyses.evidence.clock_or_pizza import NAMED
from analyses.reports.answer import answer
from analyses.reports.files import write_page
from analyses.reports.page import Subject


def test_the_panel_trains_pauses_and_goes_on(tmp_path: Path) -> None:
    write_page(tmp_path / "page.html", [Subject(answer(PIZZA, only=["performance"]))])
    step = "Number(document.getElementById('train-status').textContent.match(/Step (\\d+)/)?.[1] ?? -1)"
    with opened(tmp_path / "page.html") as tab:
        tab.click("#train-start")
        tab.wait_for_function(f"{step} >= 10", timeout=60_000)
        assert tab.locator("#train-circles .main-svg").count() >= 4
        tab.click("#train-pause")
        tab.wait_for_function("document.getElementById('train-verdict').textContent.startsWith('Step')", timeout=60_000)
        assert "Not there yet" in tab.locator("#train-verdict").inner_text()
        paused = tab.evaluate(step)
        tab.wait_for_timeout(500)
        assert tab.evaluate(step) == paused
        tab.click("#train-pause")
        tab.wait_for_function(f"{step} > {paused}", timeout=60_000)
        curves = tab.evaluate("page.figures['train-curves'].data.map(({x, y}) => [x.length, y[0] > 0])")
        assert len(curves) == 4 and all(length >= 2 for length, _ in curves)
        tab.click("#train-start")  # which forgets what was trained
        tab.wait_for_function(f"{step} < {paused}", timeout=60_000)


@pytest.mark.slow
def test_a_network_that_is_trained_here_computes_the_sum(tmp_path: Path) -> None:
    write_page(tmp_path / "page.html", [Subject(answer(PIZZA, only=["performance"]))])
    with opened(tmp_path / "page.html") as tab:
        tab.click("#train-start")
        tab.wait_for_selector("#train-pause:disabled", timeout=900_000)
        found = json.loads(tab.locator("#train-form").get_attribute("data-verdict") or "")
        assert found["accuracy"] >= 0.99 and found["verdict"] in NAMED
        assert tab.locator("#train-verdict").inner_text().startswith(f"Step 1500. Circuit: {found['verdict']} (")
