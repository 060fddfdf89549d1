"""Where the networks of checkpoints/ lie on the map of clocks and pizzas, among which every other network is shown."""

Coordinates = tuple[tuple[int, float, float], ...]


def known_coordinates() -> dict[str, Coordinates]:
    """Name → (k, variation, min/max) per key frequency, as ``clock_or_pizza`` measures them: copied here, because an
    installed package has no checkpoints beside it. tests/test_known_checkpoints.py measures them again."""
    return {
        "nanda-113": (
            (14, 0.1384, 0.5425), (35, 0.2183, 0.4926), (41, 0.5360, 0.0123), (42, 0.0407, 0.8361), (52, 0.0903, 0.7291),
        ),
        "quick-113": ((6, 0.0497, 0.8449), (7, 0.0360, 0.8667), (11, 0.5320, 0.0005), (38, 0.0340, 0.8785)),
        "zhong-59-rate-0": ((21, 0.5441, 0.0000), (24, 0.5403, 0.0000), (29, 0.5381, 0.0000)),
        "zhong-59-rate-1": ((21, 0.0632, 0.8287), (24, 0.0618, 0.8104), (29, 0.0393, 0.8703)),
    }  # fmt: skip
