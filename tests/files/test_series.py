"""Series: the checkpoints of one run of anybody, read as is decided on the last; and which file a folder stands for."""

import json
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from einops import rearrange
from foreign import StateDict, bridge, hooked
from small import MEMORISES
from torch.nn import functional

import interp
from analyses.commands.analyze import main
from analyses.timeline.progress import progress
from interp.circuit import Circuit
from interp.errors import InterpError
from interp.files import checkpoint, formats
from interp.files.checkpoint import Checkpoint
from interp.files.formats.directory import natural, steps_of_names
from interp.files.formats.series import load_series
from interp.networks.config import NetworkConfig
from interp.networks.initialisation import initialise
from interp.networks.transformer import Network
from interp.training import run
from interp.training.run_config import RunConfig

P = 7
STEPS = (0, 20, 200)
CONFIG = NetworkConfig(p=P, d_model=16, n_heads=4, d_head=4, d_mlp=32, answers_equals=False)


@cache
def trained() -> dict[int, Network]:
    """A network on its way from nothing to all pairs of a + b mod 7, by step."""
    W = {name: x.clone().requires_grad_() for name, x in initialise(CONFIG, seed=0).parameters.items()}
    optimiser = torch.optim.Adam(W.values(), lr=1e-2)
    a, b = torch.cartesian_prod(torch.arange(P), torch.arange(P)).unbind(1)
    on_the_way = {}
    for step in range(STEPS[-1] + 1):
        if step in STEPS:
            on_the_way[step] = Network(CONFIG, {name: x.detach().clone() for name, x in W.items()})
        network = Network(CONFIG, W)
        E_a, E_b = network.tables()
        optimiser.zero_grad()
        functional.cross_entropy(network.run(E_a[a], E_b[b])[0], (a + b) % P).backward()
        optimiser.step()
    return on_the_way


def of_their_own(network: Network) -> StateDict:
    """Names of nobody, matrices for all heads at once: how many heads there are the shapes do not say."""
    W = network.parameters
    state = {
        f"attention.{name}_proj.weight": rearrange(W[f"blocks.0.attn.W_{name.upper()}"], "h m d -> (h d) m") for name in "qkv"
    }
    state |= {
        "attention.o_proj.weight": rearrange(W["blocks.0.attn.W_O"], "h d m -> m (h d)"),
        "tok_emb.weight": W["embed.W_E"],
        "pos_emb.weight": W["pos_embed.W_pos"],
        "mlp.up.weight": W["blocks.0.mlp.W_in"].T,
        "mlp.up.bias": W["blocks.0.mlp.b_in"],
        "mlp.down.weight": W["blocks.0.mlp.W_out"].T,
        "mlp.down.bias": W["blocks.0.mlp.b_out"],
        "head.weight": W["unembed.W_U"].T,
    }
    return {name: tensor.contiguous() for name, tensor in state.items()}


LAYOUTS: dict[str, Callable[[Network], StateDict]] = {"hooked": hooked, "bridge": bridge, "of their own": of_their_own}


def _write(folder: Path, layout: str, name: str = "step_{}.pt") -> dict[int, Path]:
    folder.mkdir(exist_ok=True)
    paths = {step: folder / name.format(step) for step in STEPS}
    for step, network in trained().items():
        torch.save(LAYOUTS[layout](network), paths[step])
    return paths


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_checkpoint_is_read_as_the_last_one_is(layout: str, tmp_path: Path) -> None:
    """Planted: four heads. The last file shows it by what it computes, the others cannot."""
    paths = _write(tmp_path, layout)
    found = load_series(tmp_path)
    assert [path for path, _ in found] == list(paths.values()) and [saved.step for _, saved in found] == list(STEPS)
    for (_, saved), truth in zip(found, trained().values(), strict=True):
        assert torch.allclose(saved.circuit().logits, Circuit(truth).logits, atol=1e-4)
        assert isinstance(saved.network, Network) and saved.network.config.n_heads == 4
    assert torch.equal(found[-1][1].circuit().logits, interp.load(paths[200]).logits)
    if layout == "bridge":
        assert "does not compute a + b mod 7 under any of" in formats.load(paths[0]).notes[1]
    circuits = interp.load_series(tmp_path, activation="relu")
    assert [circuit.p for circuit in circuits] == [P, P, P]


def test_what_is_said_of_a_series_holds_for_every_file(tmp_path: Path) -> None:
    _write(tmp_path, "hooked")
    pairs = torch.arange(0, P * P, 2)
    for circuit in interp.load_series(tmp_path, activation="gelu", task="subtraction", train_pairs=pairs):
        assert isinstance(circuit.network, Network) and circuit.network.config.activation == "gelu"
        assert circuit.task.name == "subtraction" and circuit.train_pairs is not None
        assert circuit.train_pairs.tolist() == pairs.tolist()


@pytest.mark.parametrize(
    ("names", "steps"),
    [
        (["step_900.pt", "step_1000.pt", "step_20.pt"], [900, 1000, 20]),
        (["epoch=3-step=90.ckpt", "epoch=12-step=360.ckpt"], [90, 360]),
        (["run7/checkpoint-5/model.safetensors", "run7/checkpoint-10/model.safetensors"], [5, 10]),
        (["p53_seed0_100.pt", "p53_seed0_2.pt"], [100, 2]),
        (["first.pt", "last.pt"], None),
        (["a1.pt", "b1.pt"], None),
        (["step_1.pt", "final.pt"], None),
    ],
)
def test_the_order_of_files_is_that_of_the_numbers_in_their_names(names: list[str], steps: list[int] | None) -> None:
    paths = [Path(name) for name in names]
    assert steps_of_names(paths) == steps
    if steps is not None:
        assert sorted(paths, key=natural) == [path for _, path in sorted(zip(steps, paths, strict=True))]


@pytest.mark.parametrize("key", ["step", "epoch", "global_step"])
def test_the_step_that_a_container_says_outranks_the_name(key: str, tmp_path: Path) -> None:
    for name, step in (("c1.pt", 200), ("b2.pt", 0), ("a3.pt", torch.tensor(20))):
        torch.save({"model": hooked(trained()[int(step)]), key: step, "config": {"act_fn": "relu"}}, tmp_path / name)
    assert [(path.name, saved.step) for path, saved in load_series(tmp_path)] == [("b2.pt", 0), ("a3.pt", 20), ("c1.pt", 200)]


def test_training_pairs_of_one_file_are_those_of_the_run(tmp_path: Path) -> None:
    pairs = torch.arange(0, P * P, 3)
    for step, network in trained().items():
        more = {"train_indices": pairs} if step == 20 else {}
        torch.save({"model": hooked(network), "step": step, **more}, tmp_path / f"{step}.pt")
    for _, saved in load_series(tmp_path):
        assert saved.train_pairs is not None and saved.train_pairs.tolist() == pairs.tolist()
    torch.save({"model": hooked(trained()[0]), "step": 0, "train_indices": pairs[1:]}, tmp_path / "0.pt")
    with pytest.raises(InterpError, match=r"/20\.pt: was trained on other pairs than .*0\.pt: it is of another run"):
        load_series(tmp_path)


def test_a_series_of_logits_has_a_timeline(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for step, network in trained().items():
        np.save(tmp_path / f"logits_{step}.npy", Circuit(network).logits.numpy())
    assert main([str(tmp_path), "--series", "--json", "--html", str(tmp_path / "page.html")]) == 0
    values = json.loads(capsys.readouterr().out)
    assert [m["step"] for m in values["moments"]] == list(STEPS)
    assert values["moments"][-1]["gini_embedding"] is None and values["moments"][-1]["accuracy"] == 1.0


def test_the_timeline_of_a_series_says_what_it_lacks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _write(tmp_path / "theirs", "of their own")
    page = tmp_path / "page.html"
    assert main([str(tmp_path / "theirs"), "--series", "--html", str(page)]) == 0
    out = capsys.readouterr().out
    assert "a + b mod 7, 3 snapshots from step 0 to 200" in out and "decided on step_200.pt, the last" in out
    assert "Verdict: cannot be said (memorisation would show on the training pairs, " in out
    header = next(line for line in out.splitlines() if line.startswith("step") and "loss" in line)
    assert {"loss", "accuracy", "restricted", "Gini"} <= set(header.split()) and not {"train", "excluded"} & set(header.split())
    assert "interp-analyze" in page.read_text() and "--series --html" in page.read_text()

    np.save(tmp_path / "train.npy", np.arange(0, P * P, 2))
    told = ["--train-pairs", str(tmp_path / "train.npy")]
    files = [str(path) for path in (tmp_path / "theirs").iterdir()]
    assert main([*files, "--series", "--json", *told]) == 0  # several files, in any order
    values = json.loads(capsys.readouterr().out)
    assert values["phases"]["verdict"] != "cannot be said" and values["file"] == str(tmp_path / "theirs")
    train, test = ([m[f"{of}_accuracy"] for m in values["moments"]] for of in ("train", "test"))
    for (step, network), on_train, on_test, m in zip(trained().items(), train, test, values["moments"], strict=True):
        right = [int(c) == (a + b) % P for a, row in enumerate(Circuit(network).logits.argmax(-1)) for b, c in enumerate(row)]
        assert m["step"] == step and m["accuracy"] == pytest.approx(sum(right) / P**2)
        assert on_train == pytest.approx(sum(right[::2]) / 25) and on_test == pytest.approx(sum(right[1::2]) / 24)


def test_a_run_of_ours_read_as_a_series_has_the_timeline_of_the_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = run.create(tmp_path / "run", RunConfig(recipe=replace(MEMORISES, steps=60), seed=0, record_every=20))
    list(made.train())
    assert main([str(made.path / "snapshots"), "--series", "--json"]) == 0
    values, truth = json.loads(capsys.readouterr().out), progress(made.path).to_dict()
    assert {key: values[key] for key in truth} == json.loads(json.dumps(truth))

    # A run directory, and a folder with one file, stand for their newest checkpoint.
    newest = interp.load(made.model_path)
    assert torch.equal(interp.load(made.path).logits, newest.logits)
    made.model_path.unlink()
    assert formats.load(made.path).step == 60 and torch.equal(interp.load(made.path).logits, newest.logits)
    (tmp_path / "alone" / "weights").mkdir(parents=True)
    shutil.copy(made.snapshot_paths[0], tmp_path / "alone" / "weights" / "any.pt")
    np.save(tmp_path / "alone" / "train_pairs.npy", np.arange(3))  # beside weights an array is data
    assert formats.load(tmp_path / "alone").step == 0
    with pytest.raises(InterpError, match=r"snapshots: holds \d+ files \(step-000000\.pt, .*--series, or interp\.load_series"):
        interp.load(made.path / "snapshots")


def _other_shapes(folder: Path) -> None:
    other = initialise(NetworkConfig(p=P, d_model=16, n_heads=4, d_head=4, d_mlp=24, answers_equals=False), seed=0)
    torch.save(hooked(other), folder / "step_7.pt")


def _of_two_kinds(folder: Path) -> None:
    torch.save(of_their_own(trained()[0]), folder / "step_7.pt")


def _unreadable(folder: Path) -> None:
    (folder / "step_7.pt").write_bytes(b"hello")


def _unordered(folder: Path) -> None:
    torch.save(hooked(trained()[0]), folder / "final.pt")


def _ours(folder: Path) -> None:
    checkpoint.save(folder / "step_7.pt", Checkpoint(network=trained()[0]))


def _one(folder: Path) -> None:
    for path in list(folder.iterdir())[1:]:
        path.unlink()


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (
            _other_shapes,
            r"step_7\.pt: is no network of the same run as .*step_200\.pt: blocks.0.mlp.W_in is \[16, 24\], expected",
        ),
        (_of_two_kinds, r"step_7\.pt: "),
        (_unreadable, r"step_7\.pt: is neither a \.pt archive"),
        (_unordered, r"the order of these 4 checkpoints cannot be told"),
        (_ours, r"step_7\.pt: is a checkpoint of this project"),
        (_one, r"expected 2 to 2000 checkpoints of one run for a series, got 1"),
    ],
)
def test_what_is_no_series_is_one_line(
    spoil: Callable[[Path], None], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _write(tmp_path, "hooked")
    spoil(tmp_path)
    assert main([str(tmp_path), "--series", "--activation", "relu"]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and said.startswith("interp-analyze: ") and re.search(message, said), said
    assert main([str(tmp_path), "--series", "--module", "code.py:build"]) == 2
    assert "a series takes no --module: name one of its files" in capsys.readouterr().err
