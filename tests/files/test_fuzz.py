"""Damaged and hostile files of every format: never a traceback, never code that runs, never much memory."""

import json
import os
import pickle
import random
import resource
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch
import torch_strangers  # noqa: F401 (adds to STRANGERS)
from foreign import attention_free, bridge, hooked, linear, mlp, papers
from strangers import STRANGERS

from analyses.commands.analyze import main
from interp.errors import InterpError
from interp.files import checkpoint, formats
from interp.files.checkpoint import Checkpoint
from interp.files.formats.facts import Facts
from interp.files.formats.strangers.roles import ROLES
from interp.networks.config import NetworkConfig
from interp.networks.initialisation import initialise

NETWORK = initialise(NetworkConfig(p=5, d_model=4, n_heads=2, d_head=2, d_mlp=6), seed=0)
STATES: dict[str, dict[str, torch.Tensor]] = {
    "hooked": hooked(NETWORK),
    "papers": papers(NETWORK),
    "bridge": bridge(NETWORK),
    "linear": linear(attention_free("beta", p=5)),
    "mlp": mlp(attention_free("delta", p=5, separate=True, biases=False)),
}


class Canary:
    """Unpickling this would create the file."""

    def __init__(self, path: Path, how: int) -> None:
        self.path, self.how = path, how

    def __reduce__(self) -> tuple[Any, ...]:
        if self.how == 0:
            return os.system, (f"touch {self.path}",)
        if self.how == 1:
            return eval, (f"open({str(self.path)!r}, 'w')",)
        return __import__, ("this",)


def _write(path: Path, state: dict[str, Any], rng: random.Random) -> None:
    """As .pt, bare or in a container, or as safetensors."""
    how = rng.randrange(3)
    if how == 2 and all(isinstance(x, torch.Tensor) and x.layout == torch.strided and x.numel() < 1e5 for x in state.values()):
        path.write_bytes(safetensors.torch.save({name: value.contiguous().clone() for name, value in state.items()}))
    else:
        torch.save(state if how == 0 else {"model": state, "epoch": 3}, path)


def _truncate(raw: bytes, rng: random.Random) -> bytes:
    return raw[: rng.randrange(len(raw))]


def _flip(raw: bytes, rng: random.Random) -> bytes:
    changed = bytearray(raw)
    for _ in range(rng.choice([1, 1, 3, 20])):
        changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def _splice(raw: bytes, rng: random.Random) -> bytes:
    at, length = rng.randrange(len(raw)), rng.randrange(1, 200)
    return raw[:at] + rng.randbytes(length) + raw[at + rng.randrange(length) :]


BYTES: list[Callable[[bytes, random.Random], bytes]] = [_truncate, _flip, _splice]


def _mutate_state(state: dict[str, torch.Tensor], rng: random.Random, canary: Path) -> dict[str, Any]:
    """One tensor, name or value replaced by something that does not belong there."""
    mutated: dict[str, Any] = dict(state)
    name, other = rng.choice(list(state)), rng.choice(list(state))
    tensor = state[name]
    match rng.randrange(12):
        case 0:
            mutated[name], mutated[other] = state[other], tensor
        case 1:
            mutated[name] = tensor.to(rng.choice([torch.int64, torch.bool, torch.float16, torch.complex64, torch.float64]))
        case 2:
            mutated[name] = torch.zeros(1).expand(10 ** rng.randrange(3, 12))
        case 3:
            mutated[name] = tensor.reshape(-1)[: rng.randrange(tensor.numel() + 1)]
        case 4:
            mutated[name] = tensor.float() * rng.choice([torch.nan, torch.inf, 1e38, 0.0])
        case 5:
            del mutated[name]
        case 6:
            mutated[name] = rng.choice([None, 3, "text", [1, [2, [3]]], {"a": {}}, float("nan"), tensor.to_sparse()])
        case 7:
            mutated[name] = Canary(canary, rng.randrange(3))
        case 8:
            nested: Any = tensor
            for _ in range(rng.choice([2, 20, 200])):
                nested = {"model": nested}
            mutated = {"model": nested}
        case 9:
            mutated[rng.choice(["blocks.7.attn.W_Q", "blocks.0.ln1.w", "x\ny", "é" * 300, ""])] = tensor
        case 10:
            mutated = {name: torch.cat([value, value]) if value.dim() else value for name, value in state.items()}
        case _:
            mutated = {(f"module.{key}" if rng.random() < 0.9 else key): value for key, value in state.items()}
    return mutated


def _mutate_own(content: dict[str, Any], rng: random.Random, canary: Path) -> dict[str, Any]:
    """One entry of our own format, or of its configuration."""
    nonsense: list[Any] = [None, -1, 10**12, "text", [], {}, float("nan"), True, torch.zeros(2), Canary(canary, 0)]
    mutated = {**content, "config": dict(content["config"])}
    if rng.random() < 0.5:
        mutated["config"][rng.choice(list(mutated["config"]))] = rng.choice(nonsense)
    elif rng.random() < 0.5:
        mutated[rng.choice(list(mutated))] = rng.choice(nonsense)
    else:
        mutated["parameters"] = _mutate_state(content["parameters"], rng, canary)
    return mutated


STRANGE = {
    name: {key: x.detach().clone() for key, x in STRANGERS[name].build().state_dict().items()}
    for name in (
        "linear_modules",
        "multihead_attention",
        "llama",
        "gpt2_convolutions",
        "one_hot_side_by_side",
        "two_embeddings",
    )
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("mutations", [20, pytest.param(1000, marks=pytest.mark.faults)])
def test_no_mutation_of_a_stranger_s_file_gets_through(tmp_path: Path, mutations: int) -> None:
    """Networks under names of their own, with name maps and facts that may not fit: a network or one line."""
    rng = random.Random(20261126)
    canary = tmp_path / "canary"
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    read = 0
    for number in range(mutations):
        path = tmp_path / f"{number}.pt"
        state = STRANGE[rng.choice(list(STRANGE))]
        if rng.random() < 0.3:
            _write(path, state, rng)
            path.write_bytes(rng.choice(BYTES)(path.read_bytes(), rng))
        else:
            _write(path, _mutate_state(state, rng, canary), rng)
        names = {rng.choice(list(state)): rng.choice([*ROLES, ""]) for _ in range(rng.randrange(3))}
        heads, rms, named = Facts(n_heads=rng.choice([2, 4, 5])), Facts(normalization="rms"), Facts(names=names)
        facts = rng.choice([Facts(), Facts(), heads, rms, named])
        try:
            formats.load(path, facts)
            read += 1
        except InterpError as error:
            assert str(error).startswith(f"{path}: ") and "\n" not in str(error) and len(str(error)) < 2000
        path.unlink()
    assert not canary.exists()
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 1 << 20  # KiB: 1 GiB
    assert mutations / 10 < read < mutations / 2


@pytest.mark.filterwarnings("ignore")  # torch warns about what it finds in damaged files
@pytest.mark.parametrize("mutations", [50, pytest.param(1000, marks=pytest.mark.faults)])
def test_no_mutation_gets_through(tmp_path: Path, capsys: pytest.CaptureFixture[str], mutations: int) -> None:
    rng = random.Random(20230113)
    canary = tmp_path / "canary"
    own = Checkpoint(network=NETWORK, step=3, seed=0, train_pairs=torch.tensor([1, 2, 3]), losses={"train_loss": 0.5})
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    codes = []
    for number in range(mutations):
        path = tmp_path / f"{number}{rng.choice(['.pt', '.pth', '.safetensors'])}"
        if rng.random() < 0.3:
            if rng.random() < 0.5:
                checkpoint.save(path, own)
                path.write_bytes(rng.choice(BYTES)(path.read_bytes(), rng))
            else:
                torch.save(_mutate_own(checkpoint.to_content(own), rng, canary), path)
        else:
            state = STATES[rng.choice(list(STATES))]
            if rng.random() < 0.5:
                _write(path, state, rng)
                path.write_bytes(rng.choice(BYTES)(path.read_bytes(), rng))
            else:
                _write(path, _mutate_state(state, rng, canary), rng)
        options = ["--activation", "relu", "--attention-rate", "1", "--heads", "2"] if rng.random() < 0.7 else []
        code = main([str(path), "--json", "--only", "performance", *options])
        captured = capsys.readouterr()
        if code == 2:
            assert captured.err.count("\n") == 1 and captured.err.startswith(f"interp-analyze: {path}: "), captured.err
            assert len(captured.err) < 1500
        else:
            assert code == 0 and captured.err == "" and json.loads(captured.out)["error"] is None
        codes.append(code)
        path.unlink()
    assert not canary.exists()
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 1 << 20  # KiB: 1 GiB
    assert codes.count(2) > mutations / 2 and codes.count(0) > mutations / 30


@pytest.mark.parametrize("how", [0, 1, 2])
def test_pickles_outside_an_archive_run_nothing(tmp_path: Path, how: int, capsys: pytest.CaptureFixture[str]) -> None:
    canary, path = tmp_path / "canary", tmp_path / "plain.pt"
    path.write_bytes(pickle.dumps({"model": Canary(canary, how)}))
    assert main([str(path)]) == 2
    assert not canary.exists() and "neither a .pt archive" in capsys.readouterr().err


def test_an_archive_that_claims_a_gigantic_size_is_not_unpacked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "bomb.pt"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("archive/data.pkl", "w") as entry:
        for _ in range(300):
            entry.write(bytes(1 << 20))
    assert path.stat().st_size < 1 << 20
    assert main([str(path)]) == 2
    assert "claims to unpack to more than 256 MiB" in capsys.readouterr().err
