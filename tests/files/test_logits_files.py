"""Files of logits: every way to store them gives the same circuit, and what is no such file is said to be what it is."""

import io
import json
import os
import random
import resource
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import torch
from planted import clock_logits, planted

import analyses
import interp
from analyses.commands.analyze import main
from analyses.commands.convert import main as convert
from interp.circuit import Circuit
from interp.errors import InterpError
from interp.files import formats
from interp.tasks.subtraction import Subtraction

P = 13
LOGITS = Circuit(planted(P, clocks=(1, 5))).logits
MUTATIONS = 300


def _npy(array: Any, **options: Any) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array, **options)
    return stream.getvalue()


def _npz(compressed: bool = False, **arrays: Any) -> bytes:
    stream = io.BytesIO()
    (np.savez_compressed if compressed else np.savez)(stream, **arrays)
    return stream.getvalue()


def _pt(content: Any) -> bytes:
    stream = io.BytesIO()
    torch.save(content, stream)
    return stream.getvalue()


ARRAY = LOGITS.numpy()
STORED: dict[str, bytes] = {
    "npy": _npy(ARRAY),
    "npy, the first index fastest": _npy(np.asfortranarray(ARRAY)),
    "npy of another byte order": _npy(ARRAY.astype(">f8")),
    "npz, the only array": _npz(whatever=ARRAY),
    "npz, compressed, under its name": _npz(compressed=True, logits=ARRAY, steps=np.arange(4), labels=np.zeros((P, P))),
    "safetensors": safetensors.torch.save({"x": LOGITS.contiguous()}),
    "safetensors, under its name": safetensors.torch.save({"logits": LOGITS.contiguous(), "W": torch.zeros(3, 3)}),
    "pt": _pt(LOGITS),
    "pt, in a container": _pt({"logits": LOGITS, "step": 700, "config": {"p": P}}),
    "pt with a gradient": _pt(torch.nn.Parameter(LOGITS)),
}


@pytest.mark.parametrize("stored", STORED)
def test_logits_are_read_bit_for_bit_however_they_are_stored(stored: str, tmp_path: Path) -> None:
    # Recognised by content: the name says nothing.
    (tmp_path / "theirs").write_bytes(STORED[stored])
    circuit = interp.load(tmp_path / "theirs")
    assert torch.equal(circuit.logits, LOGITS) and not circuit.logits.requires_grad
    assert analyses.key_frequencies(circuit).frequencies == (1, 5)


@pytest.mark.parametrize(
    ("tensor", "note"),
    [
        (LOGITS.reshape(P * P, P), "rows read as pairs, a·13 + b"),
        (torch.cat([LOGITS, torch.full((P, P, 1), 99.0)], -1), "the last of 14 columns, that of '=', dropped"),
        (torch.cat([LOGITS, torch.full((P, P, 1), 99.0)], -1).reshape(P * P, P + 1), "rows read as pairs, a·13 + b"),
    ],
)
def test_rows_of_pairs_and_a_column_for_equals_are_read_and_said(tensor: torch.Tensor, note: str, tmp_path: Path) -> None:
    (tmp_path / "logits.pt").write_bytes(_pt(tensor))
    circuit = interp.load(tmp_path / "logits.pt")
    assert torch.equal(circuit.logits, LOGITS) and note in circuit.notes


def test_rows_are_of_a_first_and_then_of_b(tmp_path: Path) -> None:
    """Planted: a - b, which would be b - a, and no task of ours, if rows were read the other way round."""
    a, b = torch.cartesian_prod(torch.arange(7), torch.arange(7)).unbind(1)
    (tmp_path / "rows.npy").write_bytes(_npy(torch.nn.functional.one_hot((a - b) % 7, 7).float().numpy()))
    saved = formats.load(tmp_path / "rows.npy")
    assert saved.task == Subtraction(7) and any("as a - b mod 7" in note for note in saved.notes)
    assert analyses.performance(saved.circuit()).accuracy == 1
    stated = interp.load(tmp_path / "rows.npy", task="addition")
    assert stated.task.name == "addition" and analyses.performance(stated).accuracy == pytest.approx(1 / 7)


def test_numbers_of_half_precision_are_made_single(tmp_path: Path) -> None:
    (tmp_path / "half.npy").write_bytes(_npy(ARRAY.astype(np.float16)))
    circuit = interp.load(tmp_path / "half.npy")
    assert circuit.logits.dtype == torch.float32 and torch.equal(circuit.logits, LOGITS.half().float())


def test_a_network_beside_its_logits_is_the_network(tmp_path: Path) -> None:
    from foreign import hooked, random_network

    network = random_network()
    torch.save({"model": hooked(network), "logits": torch.zeros(6, 6, 6)}, tmp_path / "both.pt")
    read = interp.load(tmp_path / "both.pt", activation="relu", modulus=6)
    assert torch.allclose(read.logits, Circuit(network).logits, atol=1e-5)


class _Canary:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch {self.path}",)


def _bomb() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("logits.npy", "w") as entry:
        for _ in range(300):
            entry.write(bytes(1 << 20))
    return stream.getvalue()


def _claims(shape: str) -> bytes:
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode() + bytes(4 * 27)


NAN = LOGITS.clone()
NAN[1, 2, 3] = torch.nan
REFUSED: list[tuple[bytes, str]] = [
    (_npy(ARRAY.astype(np.int64)), "holds whole numbers [13, 13, 13]"),
    (_npy(ARRAY > 0), "holds whole numbers"),
    (_npy(ARRAY.astype(np.complex128)), "is a .npy file of complex128: save real numbers"),
    (_npy(np.array(["a", "b"])), "is a .npy file of <U1"),
    (_npy(np.zeros(3, dtype=[("a", "f4"), ("b", "f4")])), "save real numbers"),
    (_npy(ARRAY[:, :, :-1]), "holds one tensor [13, 13, 12], not a state dict; logits would be"),
    (_npy(ARRAY[0]), "holds one tensor [13, 13]"),
    (_npy(ARRAY.reshape(P * P, P)[:-1]), "holds one tensor [168, 13]"),
    (_npy(np.zeros((1, 1, 1))), "holds one tensor [1, 1, 1]"),
    (_npy(np.zeros((0, 0, 0))), "holds one tensor [0, 0, 0]"),
    (_npy(np.float64(3)), "holds one tensor []"),
    (_npy(NAN.numpy()), "logits that are NaN or infinite"),
    (_npy(ARRAY)[:-5], "should hold 2197 numbers of 8 bytes"),
    (_npy(ARRAY) + b"more", "should hold 2197 numbers"),
    (_npy(ARRAY)[:9], "header is damaged"),
    (_npz(a=ARRAY, b=ARRAY), "unknown state dict"),
    (_npz(), "none that torch.save or numpy.savez wrote"),
    (_npz(logits=ARRAY[0]), "holds one tensor [13, 13]"),
    (_bomb(), "claims to unpack to more than 256 MiB"),
    (_claims("(3, 3, 1000000000000)"), "should hold"),
    (_claims("(-3, -3, 3)"), "should hold"),
    (_claims("'three'"), "header is damaged"),
    (_claims("__import__('os')"), "header is damaged"),
]


@pytest.mark.parametrize(("raw", "message"), REFUSED, ids=range(len(REFUSED)))
def test_what_is_no_file_of_logits_is_one_line(
    raw: bytes, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "theirs.npy"
    path.write_bytes(raw)
    assert main([str(path)]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and said.startswith(f"interp-analyze: {path}: ") and message in said


@pytest.mark.parametrize("name", ["objects.npy", "objects.npz"])
def test_pickled_objects_in_arrays_are_never_loaded(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    objects = np.array([_Canary(tmp_path / "canary")], dtype=object)
    (tmp_path / name).write_bytes(_npy(objects) if name.endswith("npy") else _npz(logits=objects))
    assert main([str(tmp_path / name)]) == 2
    assert "pickled objects, which could run code and are never loaded" in capsys.readouterr().err
    assert not (tmp_path / "canary").exists()
    assert convert([str(tmp_path / name), str(tmp_path / "plain.pt"), "--to", "plain"]) == 2
    assert not (tmp_path / "canary").exists() and not (tmp_path / "plain.pt").exists()


def _headers_swapped(raw: bytes, rng: random.Random) -> bytes:
    """The first bytes of one file before the rest of another."""
    other = STORED[rng.choice(list(STORED))]
    at = rng.choice([8, 10, 64, 128, 200])
    return other[:at] + raw[at:]


def _flipped(raw: bytes, rng: random.Random) -> bytes:
    changed = bytearray(raw)
    for _ in range(rng.choice([1, 1, 3, 20])):
        # Headers are where damage is interesting, and short.
        changed[rng.randrange(rng.choice([140, len(changed)]))] ^= 1 << rng.randrange(8)
    return bytes(changed)


DAMAGE: list[Callable[[bytes, random.Random], bytes]] = [
    _flipped,
    _headers_swapped,
    lambda raw, rng: raw[: rng.randrange(1, len(raw))],
]


@pytest.mark.filterwarnings("ignore")  # torch warns about what it finds in damaged files
def test_damaged_files_of_logits_give_an_answer_or_one_line(tmp_path: Path) -> None:
    rng = random.Random(20240229)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    answered, path = 0, tmp_path / "theirs"
    for _ in range(MUTATIONS):
        path.write_bytes(rng.choice(DAMAGE)(STORED[rng.choice(list(STORED))], rng))
        try:
            assert torch.isfinite(interp.load(path).logits).all()
            answered += 1
        except InterpError as error:
            assert "\n" not in str(error) and str(error).startswith(f"{path}: ") and len(str(error)) < 1500
    assert 0 < answered < MUTATIONS / 2
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 1 << 19  # KiB: 512 MiB


def test_page_json_and_explanation_say_what_logits_lack(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "logits.npz").write_bytes(_npz(logits=ARRAY))
    file, page = str(tmp_path / "logits.npz"), tmp_path / "page.html"
    assert main([str(tmp_path), "--json"]) == 0  # found in a directory by its ending
    values = json.loads(capsys.readouterr().out)
    assert values["file"] == file and values["key_frequencies"] == [1, 5] and values["circuit"] == "undecided"
    assert values["findings"]["neuron_clusters"] == {
        "unavailable": "needs neurons, which a network given by its logits does not have"
    }
    assert main([file, "--explain", "--html", str(page)]) == 0
    out = capsys.readouterr().out
    assert "Explained: cannot be said" in out and "Read as: format: logits of all pairs" in out
    assert "How does this network compute a + b mod 13?" in page.read_text()
    assert convert([file, str(tmp_path / "ours.pt")]) == 2
    assert "has no weights that a checkpoint could hold" in capsys.readouterr().err


def test_a_modulus_that_is_said_must_be_that_of_the_logits(tmp_path: Path) -> None:
    np.save(tmp_path / "logits.npy", clock_logits(7, 2).numpy())
    assert interp.load(tmp_path / "logits.npy", modulus=7).p == 7
    with pytest.raises(InterpError, match="logits for p = 7, expected the 11 that were said"):
        interp.load(tmp_path / "logits.npy", modulus=11)
