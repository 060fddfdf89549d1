"""The palette of everything that is drawn: figures, dials, the page, pictures of studies, and verdicts in a terminal."""

from typing import Literal

Theme = Literal["light", "dark"]
THEMES: tuple[Theme, ...] = ("light", "dark")

BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY, YELLOW = (
    "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#f0e442",
)  # fmt: skip
"""Colours of Okabe and Ito, which colour-blind readers tell apart."""
COLOURS = (BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY)
"""Colours of lines and marks in turn; without yellow and black, which vanish on one of the two backgrounds."""
QUIET, STRONG = "#8a8f98", BLUE
"""Colours of what is beside the point, and of what is the point."""
INPUT_A, INPUT_B, MADE, OUTPUT = BLUE, VERMILION, PURPLE, GREEN
"""Colours of the two inputs, of what the circuit makes of them, and of the output."""
VERDICT_COLOURS = {"clock": SKY, "pizza": ORANGE, "mixture": GREEN, "undecided": QUIET}
"""Colours of a frequency's verdict."""
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
    "forgetting": QUIET,
}
"""Colours of what becomes of wrong labels."""
PHASES = (YELLOW, SKY, GREEN)
"""Shades behind the phases of a run, in their order."""
CYCLIC = "Twilight"
"""Plotly's scale for residues, where p - 1 is beside 0: light and dark alternate, so it is read without hue."""

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
    "narrow": "red",
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
        "of-a": INPUT_A,
        "of-b": INPUT_B,
        "of-made": MADE,
        "of-output": OUTPUT,
    }
    return ":root { " + " ".join(f"--{name}: {colour};" for name, colour in colours.items()) + " }\n"
