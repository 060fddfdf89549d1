"""The page under somebody's hands: words that are explained, addresses that are linked, a run that plays."""

from pathlib import Path

import pytest
from browser import PIZZA, opened, violations

import analyses
import interp
from analyses.reports.answer import answer
from analyses.reports.files import write_page
from analyses.reports.glossary import glossary, parts
from analyses.reports.page import Subject


@pytest.mark.slow
@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [390, 1200])
def test_axe_finds_nothing_serious(page_of_run: Path, both: Path, dark: bool, width: int) -> None:
    for file in (page_of_run, both):
        with opened(file, dark=dark, width=width) as tab:
            places = tab.locator(".plot")
            for index in range(places.count()):
                places.nth(index).scroll_into_view_if_needed()
                places.nth(index).locator(".main-svg").first.wait_for()
            tab.evaluate("for (const each of document.querySelectorAll('details')) each.open = true")
            assert violations(tab) == []


@pytest.mark.slow
def test_axe_would_find_what_is_wrong(both: Path) -> None:
    with opened(both) as tab:
        tab.evaluate("document.querySelector('.words').style.color = getComputedStyle(document.documentElement)"
                     ".getPropertyValue('--line')")  # fmt: skip
        tab.evaluate("document.querySelector('#a').closest('label').replaceWith(document.querySelector('#a'))")
        assert {each.split(":")[0] for each in violations(tab)} == {"color-contrast", "label"}


def test_every_word_says_what_it_means_on_hover_and_on_focus(both: Path) -> None:
    with opened(both) as tab:
        tip, word = tab.locator("#meaning"), tab.locator(".words .term").filter(has_text="pizza").first
        assert not tip.is_visible()
        word.hover()
        assert tip.is_visible() and tip.inner_text() == glossary().term("pizza").says
        assert tab.evaluate("e => e.getAttribute('aria-describedby')", word.element_handle()) == "meaning"
        tab.keyboard.press("Escape")
        assert not tip.is_visible()
        word.focus()
        assert tip.is_visible()
        word.blur()
        assert not tip.is_visible()
        assert tab.evaluate("[...document.querySelectorAll('.term')].every((e) => e.tabIndex === 0 && e.dataset.says)")
        assert not tab.locator(".new p").first.is_visible()
        tab.click(".new summary")
        assert tab.locator(".new p").count() == 5 and tab.locator(".new dt").count() == 10


def test_words_are_found_as_wholes_and_the_longest_first() -> None:
    found = [(piece, term.word) for piece, term in parts("Key frequencies of two clocks; a key frequency, clockwork") if term]
    assert found == [("Key frequencies", "key frequency"), ("clocks", "clock")]
    assert "".join(piece for piece, _ in parts("a pizza at k = 3")) == "a pizza at k = 3"
    assert [term for _, term in parts("pizza.pt and zhong-pizza")] == [None]
    assert len(glossary().first) == 10 and len(glossary().newcomers) == 5
    spellings = [spelling.casefold() for term in glossary().terms for spelling in (term.word, *term.also)]
    assert len(spellings) == len(set(spellings))
    for term in glossary().terms:
        assert term.says[0].isupper() and term.says.endswith(".") and len(term.says) < 260, term


def test_the_address_says_what_is_shown_and_shows_what_it_says(both: Path) -> None:
    with opened(both) as tab:
        tab.evaluate("location.hash = '#rest&a=3&b=57'")
        tab.wait_for_function("document.querySelector('.sum').textContent.startsWith('3 + 57 mod 59: the network answers 1,')")
        tab.wait_for_function("Math.abs(document.getElementById('rest').getBoundingClientRect().top) < innerHeight / 2")
        tab.reload()
        tab.wait_for_selector("html[data-ready]")
        tab.wait_for_function("document.querySelector('.sum').textContent.startsWith('3 + 57 mod 59: the network answers 1,')")
        tab.evaluate("document.getElementById('a').focus()")
        tab.keyboard.press("ArrowRight")
        tab.wait_for_function("location.hash.includes('a=4&b=57')")
        tab.evaluate("location.hash = '#nowhere&a=-1&b=x&c=7&step=1e9'")  # of which nothing is to be obeyed
        tab.wait_for_timeout(400)
        assert tab.locator("#a").input_value() == "4"


def test_a_run_plays_pauses_and_can_be_linked(page_of_run: Path) -> None:
    with opened(page_of_run) as tab:
        tab.evaluate("location.hash = '#run&step=45'")
        scrub = tab.locator("#moving_circles-0 .scrub")
        tab.locator("#moving_circles-0").scroll_into_view_if_needed()
        scrub.wait_for()
        last = scrub.locator("input").get_attribute("max")
        assert 0 < int(scrub.locator("output").inner_text()) <= 45  # the last that it kept by then
        tab.evaluate("film.pace = 60_000")  # so that it has not come to its end before it is paused
        scrub.locator("button").click()
        assert scrub.locator("button").inner_text() == "Pause"
        scrub.locator("button").click()
        assert scrub.locator("button").inner_text() == "Play" and scrub.locator("input").input_value() != last
        tab.evaluate("film.pace = 20")
        scrub.locator("button").click()
        tab.wait_for_function("last => document.querySelector('#moving_circles-0 input').value === last", arg=last)
        tab.wait_for_function("location.hash.includes('step=120')")
        assert scrub.locator("button").inner_text() == "Play"


def test_a_page_s_networks_have_one_colour_for_a_frequency(both: Path) -> None:
    """A pizza and a clock at the same three frequencies: their dials, profiles and verdicts show them alike."""
    keys = analyses.key_frequencies(interp.load(PIZZA)).frequencies
    colours = []
    with opened(both) as tab:
        for index in (0, 1):
            dials = [
                tab.evaluate(
                    "name => page.figures[name].data.find((t) => t.meta === 'ring_a').marker.color", f"dial-{index}-{k}"
                )
                for k in keys
            ]
            profiles = tab.evaluate(
                "name => page.figures[name].data.slice(2).map((t) => t.line.color)", f"amplitude_profile-{index}"
            )
            verdicts = tab.evaluate(
                "name => page.figures[name].data.filter((t) => t.name.startsWith('k = ')).map((t) => t.marker.color)",
                f"clock_or_pizza-{index}",
            )
            assert dials == profiles == verdicts and len({*dials}) == 3
            colours.append(dials)
    assert colours[0] == colours[1]


def test_the_small_dials_follow_the_sliders(both: Path) -> None:
    circuit = interp.load(PIZZA)
    with opened(both) as tab:
        tab.evaluate("location.hash = '#adding&a=17&b=30'")
        tab.wait_for_function("document.querySelector('.sum').textContent.startsWith('17 + 30')")
        for number, hand in enumerate(analyses.one_pair(circuit, a=17, b=30).hands):
            block = tab.locator(".player").first.locator(".dials > div").nth(number)
            shown = {
                step.get_attribute("data-step"): float(step.locator(".turns").inner_text())
                for step in block.locator("[data-step]").all()
            }
            assert shown == pytest.approx(dict(hand.steps(47)), abs=0.001)
            assert abs((shown["doubled"] - shown["answer"] + 0.5) % 1 - 0.5) < 0.05  # the pizza's arithmetic works


def test_bars_that_are_all_one_are_no_figure(both: Path) -> None:
    shown = both.read_text().split("<script")[0]
    assert 'data-figure="performance-0"' not in shown and "The network answers 3481 of 3481 pairs right" in shown
    assert analyses.performance(interp.load(PIZZA.parent / "memorising-59.pt")).is_drawn()


def test_networks_are_named_by_their_run(trained: Path, tmp_path: Path) -> None:
    snapshot = sorted((trained / "snapshots").glob("*.pt"))[0]
    names = [Subject(answer(path, only=["performance"])).name for path in (trained / "model.pt", snapshot, PIZZA)]
    assert names == ["small", f"small, {snapshot.stem}", "zhong-59-rate-0"]
    write_page(tmp_path / "page.html", [Subject(answer(trained / "model.pt", only=["performance"]))])
    assert '<p class="whose">small</p>' in (tmp_path / "page.html").read_text()
