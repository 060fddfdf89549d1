"""Networks of this project as other projects store them."""

from einops import rearrange

from interp.errors import InterpError
from interp.networks.config import Parameters
from interp.networks.lens import check_plain, with_all_biases
from interp.networks.transformer import Network
from interp.tasks.task import Task


def native_state_dict(network: Network) -> Parameters:
    """The state dict of TransformerLens 4's native model: torch linear layers, heads merged, every bias (zeros included).

    A native state dict does not say the number of heads, the activation or the mask; ``reading_facts`` does.
    Raises InterpError on an attention rate below 1, which a state dict cannot hold, and on parts that are not carried over.
    """
    if network.config.attention_rate != 1:
        raise InterpError(
            f"a state dict cannot hold the attention rate {network.config.attention_rate:g}: use interp.networks.lens."
            "to_transformer_lens(network), which hooks it in"
        )
    check_plain(network.config)
    W = with_all_biases(network)
    state = {
        "embed.weight": W["embed.W_E"],
        "pos_embed.weight": W["pos_embed.W_pos"],
        "unembed.weight": W["unembed.W_U"].T,
        "unembed.bias": W["unembed.b_U"],
    }
    for layer in range(network.config.n_layers):
        attention, mlp = f"blocks.{layer}.attn", f"blocks.{layer}.mlp"
        for letter in "QKV":
            merged = rearrange(W[f"{attention}.W_{letter}"], "head d_model d_head -> (head d_head) d_model")
            state[f"{attention}.{letter.lower()}.weight"] = merged
            state[f"{attention}.{letter.lower()}.bias"] = W[f"{attention}.b_{letter}"].flatten()
        state[f"{attention}.o.weight"] = rearrange(W[f"{attention}.W_O"], "head d_head d_model -> d_model (head d_head)")
        state[f"{attention}.o.bias"] = W[f"{attention}.b_O"]
        for name in ("in", "out"):
            state[f"{mlp}.{name}.weight"], state[f"{mlp}.{name}.bias"] = W[f"{mlp}.W_{name}"].T, W[f"{mlp}.b_{name}"]
    return {name: tensor.detach().contiguous() for name, tensor in state.items()}


def reading_facts(network: Network, task: Task) -> dict[str, int | str]:
    """What a native state dict does not say, under the names that are read back from a config_ID.json beside it."""
    config = network.config
    direction = "causal" if config.causal else "bidirectional"
    return {
        "task": task.name,
        "p": config.p,
        "n_heads": config.n_heads,
        "act_fn": config.activation,
        "attention_dir": direction,
    }
