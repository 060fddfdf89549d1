"""An explanation for every network: the tables of docs/every_network.md and studies/phase_diagram.svg.

interp-sweep studies/every_network.toml    trains and explains them; their rows are studies/every_network.parquet
python studies/every_network.py            write the tables below the document's own words, and the picture
"""

from pathlib import Path

from phase_diagram import phase_diagram
from summary import MARK, summary

from interp.sweep.dataset import read_rows

ROWS = Path(__file__).with_suffix(".parquet")
PICTURE = ROWS.with_name("phase_diagram.svg")
DOCUMENT = ROWS.parent.parent / "docs" / "every_network.md"


def main() -> None:
    rows = read_rows(ROWS)
    words, _, _ = DOCUMENT.read_text().partition(MARK)
    DOCUMENT.write_text(f"{words}{MARK}\n{summary(rows)}")
    PICTURE.write_text(phase_diagram(rows))
    print(f"{DOCUMENT}, {PICTURE}: {len(rows)} networks")


if __name__ == "__main__":
    main()
