"""What the page's script works with, packed: the logits of all pairs, the figures, plotly itself."""

import base64
import gzip
import json
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analyses.adding.one_pair import OnePair, output_hands
from interp import fourier
from interp.circuit import Circuit

MOST_LOGITS, FIGURES = 3_400_000, 200_000
"""Bytes of logits, one each, that a page of one network carries, and how many fewer for each further one, whose figures need
room too: the page then stays below 8 MB for some twenty networks."""


def packed(data: bytes) -> str:
    """Compressed, as text; the page's script undoes it (``DecompressionStream``)."""
    return base64.b64encode(gzip.compress(data, 9, mtime=0)).decode()


def packed_json(value: Any) -> str:
    """Plain values as JSON, compressed, as text."""
    return packed(json.dumps(value, separators=(",", ":"), allow_nan=False).encode())


def pairs(circuit: Circuit, shown: OnePair, *, with_logits: bool) -> tuple[dict[str, Any], bytes]:
    """Everything that the two sliders need of all pairs: what is in it, and the bytes.

    Answers and margins are exact. Hands are to 1/127 of the largest and logits to 1/255 of their range at each pair: finer
    than a pixel.
    """
    p, task = circuit.p, circuit.task
    places_a, places_b, _ = circuit.places
    best = circuit.own_logits.topk(2, dim=-1)
    parts: dict[str, NDArray[Any]] = {
        "answers": best.indices[..., 0].numpy().astype("<u2"),
        "right": task.table().numpy().astype("<u2"),
        "margins": (best.values[..., 0] - best.values[..., 1]).numpy().astype("<f4"),
    }
    largest = []
    for hand in shown.hands:
        hands, amplitude = output_hands(circuit, hand.k)
        parts[f"hand {hand.k}"] = np.round(hands[places_a][:, places_b].numpy() * 127).astype("i1")
        largest.append(amplitude)
    if with_logits:
        values = fourier.centred(circuit.own_logits).numpy()
        low, high = values.min(-1, keepdims=True), values.max(-1, keepdims=True)
        parts |= {"low": low.astype("<f4"), "high": high.astype("<f4")}
        parts["logits"] = np.round((values - low) / np.maximum(high - low, 1e-12) * 255).astype("u1")
    # Those of four bytes first: a view of them must start at a multiple of four.
    order = sorted(parts, key=lambda name: -parts[name].itemsize)
    layout = [[name, parts[name].dtype.str.lstrip("<|"), int(parts[name].size)] for name in order]
    about = {
        "p": p, "layout": layout, "a": shown.a, "b": shown.b, "question": task.of_words("{a}", "{b}"),
        "b_as": shown.words.b, "places": list(shown.places),
        "hands": [{"k": h.k, "verdict": h.verdict, "largest": each} for h, each in zip(shown.hands, largest, strict=True)],
    }  # fmt: skip
    return about, b"".join(parts[name].tobytes() for name in order)
