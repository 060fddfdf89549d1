"""The palette of everything that is drawn: figures, dials, the page, pictures of studies, and verdicts in a terminal."""

from typing import Literal

Theme = Literal["light", "dark"]
THEMES: tuple[Theme, ...] = ("light", "dark")

OKABE_ITO = BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY, YELLOW = (
    "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#f0e442",
)  # fmt: skip
"""Fills, which colour-blind readers tell apart (Okabe and Ito); what is written or drawn as a line has the colours below."""

INPUT_A, INPUT_B, MADE, OUTPUT = "#0062a8", "#c74a00", "#a8348c", "#00784f"
"""Colours of the two inputs, of what the circuit makes of them and the answer, and of what the logits say: nothing else has
them."""
ROLES = {"of-a": INPUT_A, "of-b": INPUT_B, "of-made": MADE, "of-output": OUTPUT}
"""These four by their names in a style sheet."""
FREQUENCIES = (
    "#a07000", "#6f3cc9", "#0091a6", "#a80f45", "#6b8e00", "#6b3d1a", "#1f2a7a", "#e85f8f", "#4a90e2",
)  # fmt: skip
"""Colours of frequencies: ``frequency_colours`` says which has which. None is near another, nor near those of a and b."""
COLOURS = ("#0072b2", "#d55e00", "#008a63", "#b0558c", "#a87a00", "#2a86bd")
"""Colours of all other lines and marks in turn."""
QUIET, STRONG = "#737982", "#1c2024"
"""Colours of what is beside the point, and of what is the point."""
DARK = dict(
    zip(
        (INPUT_A, INPUT_B, MADE, OUTPUT, *FREQUENCIES, *COLOURS, QUIET, STRONG),
        ("#5aaef0", "#ff8c4f", "#ec7fd2", "#2fc694",
         "#e8b53a", "#b48cff", "#3fd0e0", "#ff4f6d", "#b6d94c", "#b98a5e", "#6a6ff5", "#ffbfcb", "#b5d8ff",
         "#4da3dd", "#ff8a3d", "#27c093", "#e79ac8", "#eab83c", "#7cc8f2", "#8a8f98", "#e6e8eb"),
        strict=True,
    )
)  # fmt: skip
"""What each of these colours is on dark paper. On both papers marks have a contrast of at least 3 to 1, and the words that are
written in the first four 4.5 to 1 (WCAG AA)."""
VERDICT_COLOURS = {"clock": SKY, "pizza": ORANGE, "mixture": GREEN, "undecided": "#8a8f98"}
"""Colours of a frequency's verdict: bands, which their names are written on, and dots, which their symbols tell apart."""
CIRCUIT_COLOURS = {**VERDICT_COLOURS, "hybrid": VERMILION}
"""Colours of a network's verdict, where it generalises."""
SYMBOLS = {"clock": "circle", "pizza": "triangle-up", "mixture": "diamond", "undecided": "x"}
"""Symbols of a frequency's verdict, which are seen without colour too."""
PAIRS = ("#e3e6ea", "#b9c3cf", GREEN, VERMILION, ORANGE)
"""Colours of pairs held out, told the truth, answered truly against a wrong label, answered as told, and otherwise."""
PHASE_COLOURS = {
    "memorisation": VERMILION,
    "coexistence": ORANGE,
    "partial inversion": YELLOW,
    "full inversion": GREEN,
    "forgetting": "#8a8f98",
}
"""Colours of what becomes of wrong labels."""
PHASES = (YELLOW, SKY, GREEN)
"""Shades behind the phases of a run, in their order."""
ROUND = (
    (0.0, "#d1495b"), (0.17, "#c0831a"), (0.33, "#7a9a2e"), (0.5, "#1f9e89"), (0.67, "#3f7fd0"), (0.83, "#8a5fd0"),
    (1.0, "#d1495b"),
)  # fmt: skip
"""Scale once round a circle, which ends as it begins: a rainbow of nearly one lightness, seen on both papers."""
NEGATIVE_TO_POSITIVE = ((0.0, "#2166ac"), (0.5, "#f7f7f7"), (1.0, "#b2182b"))
"""Scale of what is below and above 0 in a map of the pairs (ColorBrewer's RdBu)."""

LOOKS: dict[Theme, tuple[str, str, str, str]] = {
    "light": ("#ffffff", "#1c2024", "#e6e8eb", "#9aa0a8"),
    "dark": ("#15181d", "#e6e8eb", "#2b3038", "#7d848d"),
}
"""Colours of paper, ink, grid and axes in each theme."""

TERMINAL = {
    "clock": "bright_blue",
    "pizza": "yellow",
    "hybrid": "green",
    "mixture": "cyan",
    "undecided": "magenta",
    "borderline": "red",
}
"""Styles of verdicts in a terminal: the sixteen colours that its owner has chosen to be read on the background."""
FAILS = "bold red"
"""Style of what should hold and does not, in a terminal."""
PAGE = {"soft": ("#5b636d", "#a3abb5"), "box": ("#f6f7f9", "#1c2027"), "link": ("#0062a3", "#6cb8ee")}
"""What a page has besides, light and dark: its quieter text, its boxes and its links."""


def style_sheet() -> str:
    """The colours as variables of a page's style sheet."""
    (paper, ink, line, _), (dark_paper, dark_ink, dark_line, _) = (LOOKS[theme] for theme in THEMES)
    colours = {
        "paper": f"light-dark({paper}, {dark_paper})",
        "ink": f"light-dark({ink}, {dark_ink})",
        "line": f"light-dark({line}, {dark_line})",
        **{name: f"light-dark({light}, {dark})" for name, (light, dark) in PAGE.items()},
        **{name: f"light-dark({colour}, {DARK[colour]})" for name, colour in ROLES.items()},
    }
    return ":root { " + " ".join(f"--{name}: {colour};" for name, colour in colours.items()) + " }\n"
