"""What pyproject.toml cannot say: a wheel has the networks of checkpoints/ in interp/checkpoints, for interp.example."""

from setuptools import find_packages, setup

setup(
    packages=[*find_packages(include=["interp*", "analyses*"]), "interp.checkpoints"],
    package_dir={"interp.checkpoints": "checkpoints"},
)
