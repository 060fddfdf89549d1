"""What is not part of a plain installation is asked for by the features that need it, by name."""

import builtins
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from foreign import random_network

from analyses.commands.analyze import main
from interp.errors import InterpError
from interp.networks.lens import to_transformer_lens

CLOCK = Path(__file__).parent.parent.parent / "checkpoints" / "zhong-59-rate-1.pt"


@pytest.fixture
def plain(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An installation without extras: importing what they bring fails."""
    real = builtins.__import__

    def without(name: str, *args: Any, **kwargs: Any) -> Any:
        if name.partition(".")[0] in ("transformer_lens", "kaleido", "choreographer"):
            raise ImportError(f"No module named {name!r}")
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    monkeypatch.setattr("analyses.reports.files.find_spec", lambda name: None)
    yield


@pytest.mark.usefixtures("plain")
def test_transformer_lens_is_asked_for_where_it_is_needed() -> None:
    with pytest.raises(InterpError, match=r'pip install "interp\[lens\]"'):
        to_transformer_lens(random_network())


@pytest.mark.usefixtures("plain")
def test_pictures_ask_for_kaleido_and_a_page_needs_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(CLOCK), "--only", "performance", "--figures", str(tmp_path / "figures")]) == 2
    refused = capsys.readouterr()
    assert 'pip install "interp[figures]"' in refused.err and refused.err.count("\n") == 1  # before any work
    assert refused.out == "" and not (tmp_path / "figures").exists()
    assert main([str(CLOCK), "--only", "performance"]) == 0
