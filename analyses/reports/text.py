"""Answers as text: three lines a person understands, then the tables; or one row per file."""

import os
from collections.abc import Sequence
from pathlib import Path

from analyses.basics.wrong_labels import wrong_labels
from analyses.evidence.clock_or_pizza import NAMED, ClockOrPizza
from analyses.findings.table import Table
from analyses.findings.wording import listed, sentences
from analyses.reports import group_text
from analyses.reports.answer import Answer


def headline(answer: Answer) -> list[str]:
    """The answer in three lines: does it compute its task, at which frequencies, with which circuit and how sure.

    Where it was asked a fourth says whether it is explained; others how a file of another project was read, and what was
    assumed for that and what another reading would change. Of a network of several layers one says which the verdict is on.
    The last says in words what a network with a circuit does.
    """
    first, *more = answer.circuit.notes or ("",)
    notes = [f"Read as: {first}", *(f"  {note}" for note in more)] if first else []
    explained = [_line_explained(answer)] if _asked(answer) else []
    layers = [] if answer.depth is None or answer.clock_or_pizza is None else [f"Layers: {answer.depth.says()}"]
    circuit, *words = in_large(answer)
    return [_line_network(answer), _line_frequencies(answer), circuit, *layers, *explained, *notes, *_assumed(answer), *words]


def _assumed(answer: Answer) -> list[str]:
    """A line for everything that was assumed in reading a file: what another reading would change, and which option decides."""
    lines = []
    for taken in dict.fromkeys(each.taken for each in answer.otherwise):
        those = [each for each in answer.otherwise if each.taken == taken]
        decides = f"; {those[0].decided_by()} decides" if those[0].decided_by() else ""
        lines.append(f"Assumed, not stored: {taken} ({'; '.join(each.says() for each in those)}){decides}")
    return lines


def in_large(answer: Answer) -> list[str]:
    """What a page shows larger than the rest of the headline: the verdict, and what a network with a circuit does."""
    told = told_of(answer)
    return [verdict(answer), *([f"In words: {told}"] if told else [])]


def overview(answers: Sequence[Answer]) -> Table:
    """One row per file; the directory that all of them are in is the title.

    Where a file was read with an assumption its row says which, and what the other reading would change.
    """
    assumed = any(answer.otherwise for answer in answers)
    asked = any(map(_asked, answers))
    tasks = {answer.circuit.task.name for answer in answers} != {"addition"}
    directory = _directory([answer.path for answer in answers])
    rows = tuple(
        (
            str(answer.path.relative_to(directory)),
            *([answer.circuit.task.label] if tasks else []),
            answer.circuit.task.p,
            answer.performance.accuracy,
            keys.listed if (keys := answer.key_frequencies or answer.key_representations or answer.disguise) else "–",
            _circuit_cell(answer),
            round(answer.clock_or_pizza.unexplained, 4) if answer.clock_or_pizza else None,
            *([_explained_cell(answer)] if asked else []),
            *(["; ".join(f"{each.taken} ({each.says()})" for each in answer.otherwise)] if assumed else []),
        )
        for answer in answers
    )
    more = [*(["explained"] if asked else []), *(["assumed, not stored"] if assumed else [])]
    columns = ("file", *(["task"] if tasks else []), "p", "accuracy", "frequencies", "circuit", "not explained", *more)
    title = "" if directory == Path() else f"{directory}: {len(answers)} file" + ("s" if len(answers) > 1 else "")
    return Table(title, columns, rows, NOT_EXPLAINED)


NOT_EXPLAINED = "Not explained: the share of the output, the logits' variance, that clocks and pizzas do not account for."


def _directory(paths: Sequence[Path]) -> Path:
    """The directory that all files are in; '.' where there is none."""
    try:
        return Path(os.path.commonpath([path.parent for path in paths]))
    except ValueError:  # some absolute and some not
        return Path()


def _line_network(answer: Answer) -> str:
    measured, circuit = answer.performance, answer.circuit
    right = measured.pairs - measured.wrong
    does = "generalises" if measured.generalises else "does not generalise"
    if measured.memorised:
        does = f"has memorised its training pairs, {measured.train_accuracy:.1%} of which are right, but does not generalise"
    if circuit.told is not None and (found := wrong_labels(circuit)).phase:
        does = f"keeps {found.shares.told:.1%} of its wrong labels and answers {found.shares.truth:.1%} truly ({found.phase})"
    held_out = ""
    if measured.test_accuracy == measured.test_accuracy:  # known, not NaN
        held_out = f"; on held-out pairs its accuracy is {measured.test_accuracy:.4f}, its loss {measured.test_loss:.2g}"
    apart = ""
    if measured.apart_pairs and measured.apart_accuracy == measured.apart_accuracy:
        right_apart = round(measured.apart_pairs * measured.apart_accuracy)
        apart = f"; of the {measured.apart_pairs} pairs with {measured.apart}, {right_apart} are right"
    instead = f"; {answer.checkpoint.instead}" if answer.checkpoint and answer.checkpoint.instead else ""
    network = f"{circuit.task.sentence}, {circuit.network.describe()}"
    return f"{network}: it {does}, with {right} of {measured.pairs} pairs right{held_out}{apart}{instead}"


def _asked(answer: Answer) -> bool:
    """Was it asked whether the network is explained?"""
    return any(name in answer.findings for name in ("explanation", "group_explanation"))


def _line_frequencies(answer: Answer) -> str:
    if answer.key_representations is not None:
        return group_text.line_representations(answer.key_representations, generalises=answer.performance.generalises)
    if answer.disguise is not None:
        found = answer.disguise
        of_sum = f"in waves of {found.sum}, on which alone {found.sum_share:.1%} of the output, the logits' variance, depends"
        parts = f"{found.key_share:.1%} as clocks, {found.constant_share:.1%} the same for all pairs"
        return f"Key frequencies: {found.listed} ({of_sum}: {parts})"
    keys = answer.key_frequencies
    if keys is None:
        return f"Key frequencies: cannot be said of this network (finding them {answer.lacking})"
    if not answer.performance.generalises:
        of_what = f"{keys.listed} (strong in its output, although it does not compute its task)"
        return f"Key frequencies: {of_what if keys.frequencies else 'none'}"
    differing = keys.differences()
    others = {1: "no other published rule applies", 4: "the three other published rules agree"}
    if not differing:
        agree = others.get(len(keys.rules), "the other published rules that apply here agree")
        return f"Key frequencies: {keys.listed} (those that its output uses; {agree})"
    rules = listed([f"the {name}" for name in differing])
    return f"Key frequencies: {keys.listed} (those that its output uses; judged by {rules} they would be others)"


def _line_explained(answer: Answer) -> str:
    card = answer.card
    if card is None:
        return f"Explained: cannot be said (an explanation {answer.lacking})"
    return sentences(f"Explained: {card.verdict()}", card.reason)


def _explained_cell(answer: Answer) -> str | bool | None:
    """For a table: the rung of an explained network, else no, or nothing where it cannot be said."""
    return f"rung {answer.rung}" if answer.rung else answer.is_explained


def _circuit_cell(answer: Answer) -> str | None:
    """For a table: the verdict, or why there is none, less where the key frequencies say what there is to say."""
    if answer.circuit_name:
        return answer.circuit_name + _unsure(answer.clock_or_pizza)
    return None if answer.disguise else answer.lacking


def _unsure(found: ClockOrPizza | None) -> str:
    """What to say beside the name of a circuit that is not clear."""
    if found is None:
        return ""
    return {"narrow": ", borderline", "unchecked": ", unchecked"}.get(found.sureness, "")


def verdict(answer: Answer) -> str:
    """Which circuit, how sure, and how much it explains, in one line."""
    found = answer.clock_or_pizza
    if answer.trace_or_coset is not None:
        return group_text.verdict(answer.trace_or_coset)
    if found is None:
        return f"Circuit: none is named (naming one {answer.lacking})"
    shares = "how much of its output clocks and pizzas account for is not known"
    if found.explained == found.explained:  # known, not NaN
        of_what = f"{found.explained:.1%} of its output (the logits' variance)"
        shares = f"clocks and pizzas account for {of_what}, {found.unexplained:.1%} is not explained"
    return sentences(f"Circuit: {found.verdict} ({found.reason})", shares, _how_sure(found))


def _how_sure(found: ClockOrPizza) -> str:
    """How sure a verdict is, and what would change it, in a sentence; empty where no circuit is named."""
    if found.sureness == "none":
        return ""
    change = f"if its coordinate, 0 for a clock and 1 for a pizza, changed by {found.margin:.2f}"
    only = "only " if found.sureness == "clear" else ""
    return f"the verdict is {found.how_sure()}: a frequency would be judged otherwise {only}{change}"


def told_of(answer: Answer) -> str:
    """What a network does, in words for a newcomer; empty where no circuit is named."""
    if answer.trace_or_coset is not None and answer.key_representations is not None:
        return group_text.in_words(answer.trace_or_coset, answer.key_representations)
    return in_words(answer.clock_or_pizza)


CLOCK = "adds the angles of {a} and {b}, as one turns the hand of a clock on"
PIZZA = "takes the point halfway between {a} and {b} and reads in which slice of the circle it lies, as of a pizza"
"""What the two circuits do; {a} and {b} are to be replaced by what stands for the two numbers."""


def in_words(found: ClockOrPizza | None) -> str:
    """What a network does, for a reader who has never heard of clocks and pizzas; empty where no circuit is named."""
    if found is None or found.verdict not in NAMED:
        return ""
    clock, pizza = (each.format(a=found.words.a, b=found.words.b) for each in (CLOCK, PIZZA))
    does = {"clock": clock, "pizza": pizza, "mixture": "does something between the two"}
    counts = {name: sum(verdict == name for _, verdict in found.frequencies) for name in does}
    if not counts["clock"] + counts["pizza"]:
        does["mixture"] = f"does something of both: it {clock}, and it {pizza}"
    there = [(count, does[name]) for name, count in counts.items() if count]
    circles = sum(counts.values())
    start = f"The network places the numbers on {circles} circle" + ("s" if circles > 1 else "")
    if len(there) == 1:
        told = f"{start}. On {'each of them' if circles > 1 else 'it'} it {there[0][1]}"
    else:
        told = f"{start}: " + "; ".join(f"on {count} it {what}" for count, what in there)
    return f"{told}. The answer is the number on which all circles agree." if circles > 1 else f"{told}."
