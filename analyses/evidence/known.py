"""Where the networks of checkpoints/ lie on the map of clocks and pizzas, among which every other network is shown."""

Coordinates = tuple[tuple[int, float, float], ...]


def known_coordinates() -> dict[str, Coordinates]:
    """Name → (k, coordinate, share) per key frequency, as ``clock_or_pizza`` measures them: copied here, because an
    installed package has no checkpoints beside it. tests/measurements/test_known_checkpoints.py measures them again."""
    return {
        "nanda-113": (
            (14, 0.1848, 0.1243), (35, 0.4474, 0.1239), (41, 1.1079, 0.1259), (42, 0.0216, 0.3136), (52, 0.1661, 0.2873),
        ),
        "quick-113": ((6, 0.0689, 0.0835), (7, 0.0320, 0.3046), (11, 1.1001, 0.4032), (38, 0.0124, 0.1837)),
        "zhong-59-rate-0": ((21, 1.1251, 0.1439), (24, 1.1176, 0.1974), (29, 1.1130, 0.6582)),
        "zhong-59-rate-1": ((21, 0.1157, 0.1416), (24, 0.1086, 0.1935), (29, 0.0444, 0.6550)),
    }  # fmt: skip
