"""Networks of groups whose circuits are known, because they were put in by hand."""

import torch
from torch import Tensor

from interp.circuit import Circuit
from interp.groups.group import Group
from interp.groups.named import group_named
from interp.groups.representations import representations
from interp.groups.subgroups import Subgroup
from interp.networks.attention_free import AttentionFree, AttentionFreeConfig
from interp.tasks import task_named


def group(name: str) -> Group:
    """The group of a name."""
    found = group_named(name)
    assert found is not None
    return found


def traces(name: str, keys: dict[str, float]) -> Circuit:
    """Squared neurons that multiply matrix entries: logits Σ over key representations of a strength times χ(abc⁻¹)."""
    table = group(name)
    of_a, of_b, out = list[Tensor](), list[Tensor](), list[Tensor]()
    for each in representations(table):
        if each.name in keys:
            rho, d = each.matrices(), each.dimension
            for i in range(d):
                for j in range(d):
                    for k in range(d):
                        for sign in (1, -1):  # xy = ((x + y)² - (x - y)²) / 4
                            of_a.append(rho[:, i, j])
                            of_b.append(sign * rho[:, j, k])
                            out.append(keys[each.name] * sign / 4 * rho[:, i, k])
    return _network(name, of_a, of_b, out, bias=0.0, activation="square")


def cosets(name: str, subgroup: Subgroup, *, strength: float = 20.0) -> Circuit:
    """Neurons that fire where Hxa = Hy and Hyb = Hz, and write to every c with Hxc = Hz."""
    table = group(name)
    of_a, of_b, out = list[Tensor](), list[Tensor](), list[Tensor]()
    label = subgroup.right_cosets()
    first = [int((label == coset).int().argmax()) for coset in range(subgroup.index)]
    moves = torch.stack([label[table.table[x]] for x in first])  # [x, g]: the coset that Hx is moved to by g
    for x in range(subgroup.index):
        for y in range(subgroup.index):
            for z in range(subgroup.index):
                of_a.append((moves[x] == y).double())
                of_b.append((moves[y] == z).double())
                out.append(strength * (moves[x] == z).double())
    return _network(name, of_a, of_b, out, bias=-1.0, activation="relu")


def _network(name: str, of_a: list[Tensor], of_b: list[Tensor], out: list[Tensor], *, bias: float, activation: str) -> Circuit:
    """One-hot embeddings, so that the weights are what every neuron reads."""
    n, neurons = len(out[0]), len(out)
    config = AttentionFreeConfig(p=n, kind="delta", d_embedding=n, d_hidden=neurons, activation=activation)  # type: ignore[arg-type]
    parameters = {
        "embed_a.W_E": torch.eye(n, dtype=torch.float64),
        "l1.W": torch.cat([torch.stack(of_a, 1), torch.stack(of_b, 1)]),
        "l1.b": torch.full((neurons,), bias, dtype=torch.float64),
        "unembed.W_U": torch.stack(out),
    }
    return Circuit(AttentionFree(config, parameters), task=task_named(name))
