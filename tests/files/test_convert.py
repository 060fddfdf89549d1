"""interp-convert and the directory convention: round trips are exact, nothing is overwritten."""

import json
from pathlib import Path

import pytest
import torch
from foreign import attention_free, linear

import interp
from analyses.commands.convert import main
from analyses.reports.card import from_pretrained, save_pretrained
from interp.errors import InterpError
from interp.files import checkpoint, formats
from interp.files.checkpoint import Checkpoint
from interp.function import Function
from interp.networks.config import NetworkConfig
from interp.networks.initialisation import initialise

SOURCE = Path(__file__).parent.parent.parent / "checkpoints" / "zhong-59-rate-1.pt"


def _same(one: Checkpoint, other: Checkpoint) -> None:
    assert not isinstance(one.network, Function) and not isinstance(other.network, Function)
    assert one.network.config == other.network.config
    assert one.network.parameters.keys() == other.network.parameters.keys()
    for name, tensor in one.network.parameters.items():
        assert torch.equal(tensor, other.network.parameters[name])
        assert tensor.dtype == other.network.parameters[name].dtype


def test_our_formats_keep_everything(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = SOURCE
    for name in ("a.safetensors", "b.pt", "c.safetensors"):
        target = tmp_path / name
        assert main([str(source), str(target)]) == 0
        source = target
        before, after = formats.load(SOURCE), formats.load(target)
        _same(before, after)
        assert (before.recipe, before.seed, before.step, before.losses) == (after.recipe, after.seed, after.step, after.losses)
        assert (
            before.train_pairs is not None
            and after.train_pairs is not None
            and torch.equal(before.train_pairs, after.train_pairs)
        )
    assert capsys.readouterr().err == ""


def test_a_native_state_dict_comes_back_exact(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for target in ("model_a.pt", "b.safetensors"):
        assert main([str(SOURCE), str(tmp_path / target), "--to", "transformer-lens"]) == 0
        back = interp.load(tmp_path / target)
        assert torch.equal(back.logits, interp.load(SOURCE).logits)
        assert "beside it: task addition, modulus 59, causal False, activation relu, n heads 4" in back.notes[1]
    # Without the file beside it nobody says the number of heads, and this network adds with some wrong ones too.
    (tmp_path / "config_a.json").unlink()
    with pytest.raises(InterpError, match="decide with --heads"):
        interp.load(tmp_path / "model_a.pt")


def test_attention_free_networks_too(tmp_path: Path) -> None:
    network = attention_free("gamma")
    torch.save(linear(network), tmp_path / "theirs.pt")
    assert main([str(tmp_path / "theirs.pt"), str(tmp_path / "ours.safetensors"), "--kind", "gamma"]) == 0
    _same(formats.load(tmp_path / "ours.safetensors"), Checkpoint(network=network))
    assert main([str(tmp_path / "ours.safetensors"), str(tmp_path / "lens.pt"), "--to", "transformer-lens"]) == 2
    assert not (tmp_path / "lens.pt").exists()


def test_a_directory_has_weights_configuration_and_a_card(tmp_path: Path) -> None:
    assert main([str(SOURCE), str(tmp_path / "pretrained")]) == 0
    folder = tmp_path / "pretrained"
    assert {path.name for path in folder.iterdir()} == {"model.safetensors", "config.json", "README.md"}
    config = json.loads((folder / "config.json").read_text())
    assert config["model_type"] == "interp" and config["config"]["p"] == 59
    text = (folder / "README.md").read_text()
    assert text.startswith("---\nlibrary_name: interp\n") and "| circuit | clock (clear) |" in text
    assert "Key frequencies: 21 24 29" in text and "Amplitude of each key frequency" in text
    assert "| proven accuracy | At least 100.00% of all pairs are answered right: proven by low rank (rank 6) with " in text
    for circuit in (from_pretrained(folder), interp.load(folder)):
        assert torch.equal(circuit.logits, interp.load(SOURCE).logits) and circuit.train_pairs is not None
    with pytest.raises(InterpError, match="not an empty directory"):
        save_pretrained(formats.load(SOURCE), folder)


def test_what_cannot_be_analysed_leaves_no_half_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = NetworkConfig(p=721, d_model=2, n_heads=1, d_head=2, d_mlp=1)
    monkeypatch.setattr("interp.memory.available", lambda: 300 << 20)
    with pytest.raises(InterpError, match="too large for this machine"):
        save_pretrained(Checkpoint(network=initialise(config, seed=0)), tmp_path / "folder")
    assert not (tmp_path / "folder").exists()


def test_tied_weights_are_written_as_two(tmp_path: Path) -> None:
    network = initialise(NetworkConfig(p=5, d_model=4, n_heads=2, d_head=2, d_mlp=6), seed=0)
    W = network.parameters
    W["blocks.0.attn.W_K"] = W["blocks.0.attn.W_Q"]
    checkpoint.save(tmp_path / "tied.safetensors", Checkpoint(network=network))
    _same(formats.load(tmp_path / "tied.safetensors"), Checkpoint(network=network))


def test_nothing_is_overwritten_and_the_impossible_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "there.pt"
    target.write_text("mine")
    rate_0 = SOURCE.with_name("zhong-59-rate-0.pt")
    for arguments, message in (
        ([SOURCE, target], "there.pt exists"),
        ([SOURCE, tmp_path / "x.onnx"], "ends in .pt or .safetensors"),
        ([tmp_path / "none.pt", tmp_path / "y.pt"], "No such file"),
        ([rate_0, tmp_path / "z.pt", "--to", "transformer-lens"], "cannot hold the attention rate 0"),
    ):
        assert main(list(map(str, arguments))) == 2
        captured = capsys.readouterr()
        assert message in captured.err and captured.err.count("\n") == 1
    assert target.read_text() == "mine" and list(tmp_path.iterdir()) == [target]


def test_a_flipped_bit_in_our_safetensors_is_refused(tmp_path: Path) -> None:
    """The format has no checksums of its own; ours carries one."""
    path = tmp_path / "model.safetensors"
    checkpoint.save(path, formats.load(SOURCE))
    whole = path.read_bytes()
    for position in range(len(whole) - 100_000, len(whole), 9_973):
        path.write_bytes(whole[:position] + bytes([whole[position] ^ 1]) + whole[position + 1 :])
        with pytest.raises(InterpError, match="checksum of its tensors"):
            formats.load(path)
