"""A network as TransformerLens's own model, on which its caches, hooks and patching work; and such a model as a network.

Nothing else in interp imports transformer_lens, which takes seconds to import: it is imported when a model is asked for.
"""

import warnings
from typing import TYPE_CHECKING, Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from interp.errors import InterpError
from interp.networks.config import NetworkConfig, Parameters
from interp.networks.modules.finding import module_network
from interp.networks.modules.inputs import Answers
from interp.networks.modules.network import ModuleNetwork
from interp.networks.transformer import Network

if TYPE_CHECKING:
    from transformer_lens.model_bridge import TransformerBridge


def to_transformer_lens(network: Network) -> "TransformerBridge":
    """This network as a TransformerLens 4 native model, in evaluation mode.

    The model reads token rows [batch, position] (see ``tokens``) and answers at the last position, as the network does;
    the logits agree to float32 rounding. An attention rate below 1 is a permanent hook on every ``hook_pattern``:
    hooks and caches see the mixed pattern, and ``reset_hooks(including_permanent=True)`` would lose it.
    Raises InterpError on a network with parts that are not carried over.
    """
    with warnings.catch_warnings():
        # tqdm, which comes along, misses ipywidgets in a notebook; nothing here shows a progress bar.
        warnings.filterwarnings("ignore", message="IProgress not found")
        try:
            from transformer_lens.config import TransformerBridgeConfig
            from transformer_lens.model_bridge import TransformerBridge
            from transformer_lens.utilities.tl_checkpoint_conversion import convert_tl_checkpoint
        except ImportError as error:
            raise InterpError('this needs TransformerLens, which is not installed: pip install "interp[lens]"') from error

    config = network.config
    check_plain(config)
    lens_config = TransformerBridgeConfig(
        d_model=config.d_model,
        d_head=config.d_head,
        n_heads=config.n_heads,
        d_mlp=config.d_mlp,
        n_layers=config.n_layers,
        n_ctx=config.n_ctx,
        d_vocab=config.d_vocab,
        d_vocab_out=config.d_vocab_out,
        act_fn=config.activation,
        normalization_type=None,
        attention_dir="causal" if config.causal else "bidirectional",
        dtype=network.dtype,
    )
    # boot_native is attached to the class at import, where a type checker does not see it.
    model: TransformerBridge = TransformerBridge.boot_native(lens_config, dtype=network.dtype)  # type: ignore[attr-defined]
    model.load_state_dict(convert_tl_checkpoint(with_all_biases(network), lens_config))
    model.eval()
    if config.attention_rate < 1:
        for layer in range(config.n_layers):
            model.add_perma_hook(f"blocks.{layer}.attn.hook_pattern", _mix_with_ones(config))
    return model


def tokens(config: NetworkConfig) -> Int[Tensor, "pair position"]:
    """All p² pairs as token rows for a TransformerLens model, in lexicographic order: (a, b) or (a, b, '=')."""
    residues = torch.arange(config.p)
    pairs = torch.cartesian_prod(residues, residues + config.p * config.separate_vocabularies)
    if not config.equals_token:
        return pairs
    return torch.cat([pairs, torch.full((len(pairs), 1), config.d_vocab - 1)], dim=1)


def check_plain(config: NetworkConfig) -> None:
    """Refuse a network with parts that are not carried over to TransformerLens."""
    if not config.is_plain or config.activation not in ("relu", "gelu"):
        raise InterpError(
            "has parts that are not carried over to TransformerLens (a normalisation, gates, rotary positions, no residual, an "
            "operator's token, other neurons than ReLU and GELU): save it as a checkpoint of this project"
        )


def with_all_biases(network: Network) -> Parameters:
    """A network's parameters, with zeros for every bias that it does without: TransformerLens models have every bias."""
    config, parameters = network.config, dict(network.parameters)
    shapes: dict[str, tuple[int, ...]] = {"unembed.b_U": (config.d_vocab_out,)}
    for layer in range(config.n_layers):
        shapes |= {f"blocks.{layer}.attn.b_{letter}": (config.n_heads, config.d_head) for letter in "QKV"}
        shapes[f"blocks.{layer}.attn.b_O"] = shapes[f"blocks.{layer}.mlp.b_out"] = (config.d_model,)
        shapes[f"blocks.{layer}.mlp.b_in"] = (config.d_mlp,)
    for name, shape in shapes.items():
        parameters.setdefault(name, torch.zeros(shape, dtype=network.dtype))
    return parameters


def _mix_with_ones(config: NetworkConfig) -> Any:
    rate = config.attention_rate

    def mix(pattern: Float[Tensor, "batch head query key"], hook: Any) -> Float[Tensor, "batch head query key"]:
        ones = torch.ones_like(pattern)
        return rate * pattern + (1 - rate) * (ones.tril() if config.causal else ones)

    return mix


def network_of(model: torch.nn.Module, answers: Answers, p: int | None = None) -> tuple[ModuleNetwork, tuple[str, ...]]:
    """The network that a live TransformerLens model is, with its hooks and edited weights, and notes on how it was read.

    Its activations go by the names of its hook points. Raises InterpError where the model is no such model, and where it cannot
    be said which tokens stand for a, b and '='.
    """
    hooks, config = getattr(model, "hook_dict", None), getattr(model, "cfg", None)
    if not isinstance(model, torch.nn.Module) or not isinstance(hooks, dict) or config is None:
        raise InterpError(
            f"expected a TransformerLens model, with hook_dict and cfg, got {type(model).__name__}: "
            "interp.from_module takes any other"
        )
    last = f"blocks.{config.n_layers - 1}"
    neurons, attention = (name if name in hooks else None for name in (f"{last}.mlp.hook_post", f"{last}.attn.hook_pattern"))
    return module_network(
        model,
        answers,
        p=p,
        embedding="hook_embed",
        neurons=neurons,
        attention=attention,
        more_names=hooks,
        vocabulary=config.d_vocab,
        # A longer context is room for other tasks.
        length=config.n_ctx if config.n_ctx <= 4 else None,
    )
