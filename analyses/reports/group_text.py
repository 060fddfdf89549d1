"""What is said of a network that multiplies the elements of a group: its representations, and the form of its computation."""

from analyses.findings.wording import sentences
from analyses.groups.key_representations import KeyRepresentations
from analyses.groups.trace_or_coset import TraceOrCoset

SHOWN = 12
"""Largest number of representations that a line names."""


def line_representations(keys: KeyRepresentations, *, generalises: bool) -> str:
    """Which representations the output uses, of how many, and how much of it they make."""
    of_what = f"of the {len(keys.names)} of {keys.group or 'the group'}"
    if not generalises:
        of_a = f"{keys.listed} ({of_what}; strong in its output, although it does not compute its task)"
        return f"Key representations: {of_a if keys.keys else 'none'}"
    listed = keys.listed if len(keys.keys) <= SHOWN else f"{len(keys.keys)} representations"
    return f"Key representations: {listed} ({of_what}; they carry {keys.key_share:.1%} of its output, the logits' variance)"


def verdict(found: TraceOrCoset) -> str:
    """Which form the computation has, and how sure that is."""
    if found.verdict in ("coset form", "trace form"):
        sure = f"it would be judged otherwise if one of the shares that decide changed by {found.margin:.2f}"
        return sentences(f"Circuit: {found.verdict} ({found.reason})", sure)
    return sentences(f"Circuit: {found.verdict} ({found.reason})")


def in_words(found: TraceOrCoset, keys: KeyRepresentations) -> str:
    """What a network does, for a reader who has never heard of representations; empty where no form is named."""
    group, several = keys.group or "the group", len(keys.keys) > 1
    ends = "The answer is the element on which all of them agree." if several else ""
    match found.verdict:
        case "trace form":
            kinds = f"{len(keys.keys)} kinds of matrices" if several else "one kind of matrices"
            told = (
                f"The network stands for every element of {group} by {kinds} that multiply as the elements do. It reads the "
                "product of a's and b's matrix, and answers with the element whose matrix this is."
            )
        case "coset form":
            told = (
                f"The network sorts the elements of {group} into few equal boxes, in several ways: a neuron knows of a and of "
                "b only in which box each lies. These boxes decide in which the product lies."
            )
        case _:
            return ""
    return f"{told} {ends}".strip()
