"""A network as a local directory in huggingface_hub's convention: weights, configuration, and a card from the findings."""

import json
from pathlib import Path

import interp
from analyses.evidence.certificate import Certificate
from analyses.findings.measurement import in_order
from analyses.reports import text
from analyses.reports.answer import Answer, examine
from interp.circuit import Circuit
from interp.errors import InterpError
from interp.files import checkpoint
from interp.files.atomic import write_atomically
from interp.files.checkpoint import Checkpoint

_CARD = """\
---
library_name: interp
tags:
- mechanistic-interpretability
- modular-arithmetic
- grokking
---

# {title}

{headline}

| key | value |
|---|---|
{rows}

## Evidence

```
{evidence}
```

## Use

    import analyses
    from analyses.reports.card import from_pretrained

    circuit = from_pretrained("path/to/this/directory")
    analyses.clock_or_pizza(circuit)
"""


def save_pretrained(saved: Checkpoint, directory: str | Path) -> None:
    """Write model.safetensors, config.json and README.md, the card, into a directory, made where missing.

    Raises InterpError where it cannot be written, or is not empty.
    """
    directory = Path(directory)
    # Everything that can fail for the network's sake fails before anything is written.
    path = directory / "model.safetensors"
    more = [*in_order(slow=False), "certificate"]
    text_of_card = card(examine(saved.circuit(), path=path, checkpoint=saved, more=more))
    content = checkpoint.to_content(saved)
    config = {key: content[key] for key in ("task", "architecture", "config", "recipe", "arithmetic", "seed", "step", "losses")}
    try:
        if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
            raise InterpError(f"{directory} exists and is not an empty directory: name another, nothing is overwritten")
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InterpError(f"cannot make {directory}: {error.strerror}") from error
    checkpoint.save(directory / "model.safetensors", saved)
    write_atomically(directory / "config.json", (json.dumps({"model_type": "interp", **config}, indent=2) + "\n").encode())
    write_atomically(directory / "README.md", text_of_card.encode())


def from_pretrained(directory: str | Path) -> Circuit:
    """The circuit in a directory that ``save_pretrained`` wrote. Raises InterpError on anything else."""
    return interp.load(Path(directory) / "model.safetensors")


def card(given: Answer) -> str:
    """The model card: what the network does, by the findings."""
    circuit, saved, keys, found = given.circuit, given.checkpoint, given.key_frequencies, given.clock_or_pizza
    proven = given.findings.get("certificate")
    rows = {
        "task": circuit.task.sentence,
        "modulus": circuit.task.p,
        "seed": saved and saved.seed,
        "steps": saved and saved.step,
        "accuracy on all pairs": f"{given.performance.accuracy:.4f}",
        **({"proven accuracy": proven.in_words()} if isinstance(proven, Certificate) else {}),
        "key frequencies": keys and keys.listed,
        "circuit": found and f"{found.verdict} ({found.how_sure()})",
        "share of its output that clocks and pizzas do not explain": found and f"{found.unexplained:.3f}",
    }
    tables = [given.findings[name] for name in in_order(chapter="evidence") if name in given.findings]
    return _CARD.format(
        title=f"{circuit.task.sentence}, {circuit.network.describe()}",
        headline="\n\n".join(text.headline(given)),
        rows="\n".join(f"| {key} | {'unknown' if value is None else value} |" for key, value in rows.items()),
        evidence="\n".join(str(finding).rstrip() for finding in tables),
    )
