"""What a sweep is: its file says which networks, names are digests of them, and what is impossible is refused at once."""

import random
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest
from small import SMALL

from interp.errors import InterpError
from interp.sweep.point import Point
from interp.sweep.spec import Spec, read_spec, spec_of
from interp.training.run_config import RunConfig


def spec(text: str) -> Spec:
    return spec_of(tomllib.loads(text))


def test_a_block_is_every_seed_with_every_alternative_with_every_combination() -> None:
    networks = spec("""
        keep = 0.25
        findings = ["performance"]
        [[networks]]
        recipe = "zhong-2023"
        label = "some"
        seeds = "3:5"
        set = {steps = 7, network.d_mlp = 64, record_every = 5}
        grid = {weight_decay = [1, 2.5], network.activation = ["relu", "gelu"]}
        each = [{learning_rate = 1e-3}, {learning_rate = 3e-3, beta_2 = 0.9}]
    """).points
    assert len(networks) == 2 * 2 * 4
    recipes = [point.config.recipe for point in networks.values()]
    assert {(r.weight_decay, r.network.activation, r.learning_rate, r.beta_2) for r in recipes} == {
        (decay, activation, rate, beta)
        for decay in (1, 2.5)
        for activation in ("relu", "gelu")
        for rate, beta in ((1e-3, 0.98), (3e-3, 0.9))
    }
    assert {(r.steps, r.network.d_mlp, r.p) for r in recipes} == {(7, 64, 59)}
    assert [point.config.seed for point in networks.values()] == [3] * 8 + [4] * 8
    assert {(point.label, point.config.recipe_name, point.config.record_every) for point in networks.values()} == {
        ("some", "zhong-2023", 5)
    }


def test_seeds_have_one_of_what_is_told_in_turn_each_and_the_rest_of_a_block_with_it() -> None:
    points = spec("""[[networks]]
        seeds = [7, 3, 9]
        best = true
        grid = {weight_decay = [1, 2]}
        in_turn = [{p = 59, network.d_mlp = 64}, {p = 97}]
    """).points.values()
    told = [(p.config.seed, p.config.recipe.p, p.config.recipe.network.d_mlp, p.config.recipe.weight_decay) for p in points]
    assert told == [(seed, p, d_mlp, decay) for seed, p, d_mlp in ((7, 59, 64), (3, 97, 512), (9, 59, 64)) for decay in (1, 2)]
    assert all(point.best for point in points)


def test_draws_depend_on_the_seed_alone() -> None:
    block = """[[networks]]
        seeds = "0:200"
        [networks.draw]
        network.attention_rate = {uniform = [0, 1]}
        weight_decay = {log_uniform = [0.1, 10]}
        optimiser = {choice = ["adam", "sgd"]}
    """
    recipes = [point.config.recipe for point in spec(block).points.values()]
    assert [r.network.attention_rate for r in recipes] == [random.Random(seed).random() for seed in range(200)]
    decays = sorted(r.weight_decay for r in recipes)
    assert 0.1 <= decays[0] < 0.13 and 7.5 < decays[-1] <= 10 and 0.7 < decays[100] < 1.4  # the middle is 1, not 5
    assert {r.optimiser for r in recipes} == {"adam", "sgd"}


def test_a_task_decides_its_symbols() -> None:
    recipes = [p.config.recipe for p in spec('[[networks]]\ngrid = {task = ["S3", "subtraction"]}').points.values()]
    assert [(r.task, r.p) for r in recipes] == [("S3", 6), ("subtraction", 113)]


def test_equal_networks_have_one_name_and_others_another() -> None:
    config = RunConfig(recipe=SMALL, seed=1)
    name = Point(config).name
    assert name == Point(replace(config, recipe_name="other", snapshots_per_decade=0, snapshots=True), label="a word").name
    other = [
        replace(config, seed=2),
        replace(config, record_every=10),
        replace(config, precision="float64"),
        replace(config, recipe=replace(SMALL, beta_2=0.9)),
        replace(config, recipe=replace(SMALL, network=replace(SMALL.network, causal=False))),
    ]
    assert len({name, *(Point(each).name for each in other)}) == 6


def test_a_name_does_not_change_with_options_that_later_versions_add() -> None:
    # Names of stored rows: they may change only where the options of the network do.
    assert Point(RunConfig(recipe=SMALL, seed=1)).name == "ee17b086a082e5a6"


def test_a_whole_number_is_a_number() -> None:
    one, same = (next(iter(spec(f"[[networks]]\nset = {{weight_decay = {x}}}").points)) for x in ("3", "3.0"))
    assert one == same


def test_what_two_blocks_have_in_common_is_one_network() -> None:
    both = spec('[[networks]]\nseeds = "0:3"\nlabel = "first"\n[[networks]]\nseeds = [2, 7]\nlabel = "second"').points
    assert [(point.config.seed, point.label) for point in both.values()] == [
        (0, "first"), (1, "first"), (2, "first"), (7, "second"),
    ]  # fmt: skip


def test_the_sample_that_is_kept_is_a_share_of_all() -> None:
    points = spec('[[networks]]\nseeds = "0:400"').points.values()
    assert 70 < sum(point.is_kept(0.25) for point in points) < 130
    assert all(point.is_kept(1.0) for point in points) and not any(point.is_kept(0.0) for point in points)


def test_columns_of_a_configuration_are_its_options() -> None:
    values = Point(RunConfig(recipe=SMALL, seed=1)).configuration()
    assert (values["p"], values["d_mlp"], values["seed"], values["weight_decay"]) == (7, 32, 1, 1.0)
    assert isinstance(values["weight_decay"], float) and "network" not in values and "snapshots" not in values


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "at least one [[networks]] block"),
        ("networks = 3", "expected [[networks]] blocks"),
        ("[[networks]]\nrecipe = 'nanda'", "expected a recipe among"),
        ("[[networks]]\nseeds = '5:3'", "seeds like"),
        ("[[networks]]\nseeds = [1, 1]", "each once"),
        ("[[networks]]\nseeds = []", "seeds like"),
        ("[[networks]]\nseeds = '0:99999999999'", "seeds"),
        ("[[networks]]\nset = {weight_decai = 1}", "no recipe has an option 'weight_decai'"),
        ("[[networks]]\nset = {network.wide = 1}", "no recipe has an option 'network.wide'"),
        ("[[networks]]\nset = {steps.many = 1}", "no recipe has an option 'steps.many'"),
        ("[[networks]]\nset = {weight_decay = 'much'}", "weight_decay"),
        ("[[networks]]\nset = {train_fraction = 2.0}", "training fraction"),
        ("[[networks]]\ngrid = {steps = 5}", "a list of values for steps"),
        ("[[networks]]\ngrid = {steps = []}", "a list of values for steps"),
        ("[[networks]]\neach = [1]", "each to be a list of mappings"),
        ("[[networks]]\ndraw = {steps = {normal = [0, 1]}}", "to be drawn as"),
        ("[[networks]]\ndraw = {weight_decay = {log_uniform = [0, 1]}}", "to be drawn as"),
        ("[[networks]]\ndraw = {weight_decay = {uniform = [1, 1]}}", "to be drawn as"),
        ("[[networks]]\nset = 3", "expected set to be a mapping"),
        ("[[networks]]\nlabel = 3", "label"),
        ("[[networks]]\ntasks = 3", "got tasks"),
        ("keep = 2.0\n[[networks]]", "keep"),
        ("keep = 'all'\n[[networks]]", "keep"),
        ("findings = 'all'\n[[networks]]", "findings"),
        ("records = 1\n[[networks]]", "records"),
        ("timeline = 1\n[[networks]]", "timeline"),
        ("[[networks]]\nbest = 1", "best"),
        ("[[networks]]\nin_turn = []", "in_turn to be a list of mappings"),
        ("[[networks]]\ngrid = {steps = [1]}\nin_turn = [{steps = 2}]", "steps in two"),
        ("[[networks]]\nset = {stop_accuracy = 1.5}", "stop_accuracy"),
        ("steps = 3\n[[networks]]", "expected networks, findings, keep, records and timeline, got steps"),
        ("[[networks]]\nseeds = '0:10000000'\ngrid = {steps = [1, 2]}", "at most 10000000 networks"),
        ("a = [", "Invalid value"),
        ("[[networks]]\nseeds = '0:99999999999999999999'", "seeds like"),
        ("[[networks]]\nset = {steps = " + "9" * 30 + "}", "a number of 64 bits"),
        ("[[networks]]\nset = {weight_decay = " + "9" * 400 + "}", "a number of 64 bits"),
        ("[[networks]]\nset = {steps = " + "9" * 5000 + "}", "sweep.toml"),
        ("[[networks]]\nset = {steps = {}}", "an empty mapping"),
        ("[[networks]]\ndraw = {weight_decay = {uniform = [0, " + "9" * 400 + "]}}", "to be drawn as"),
        ("[[networks]]\ngrid = {steps = [1]}\ndraw = {steps = {choice = [1]}}", "steps in two"),
        ("[[networks]]\ngrid = {" + ", ".join(f"x{n} = [1, 2]" for n in range(70)) + "}", "at most 10000000 networks"),
    ],
)
def test_what_is_no_sweep_is_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "sweep.toml"
    path.write_text(text)
    with pytest.raises(InterpError, match=r"sweep\.toml: ") as caught:
        read_spec(path)
    assert message in str(caught.value) and "\n" not in str(caught.value)


def test_a_file_that_is_missing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InterpError, match=r"cannot read .*nothing\.toml: No such file"):
        read_spec(tmp_path / "nothing.toml")
