"""environment.yml, pyproject.toml and requirements.lock say the same."""

import re
import tomllib

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from tests.conftest import REPO

# What conda-forge calls a package without the parts that this one does not need.
CONDA_NAMES = {
    "matplotlib-base": "matplotlib",
    "nbconvert-core": "nbconvert",
    "pandera-pandas": "pandera",
    "seaborn-base": "seaborn",
}

PROJECT = tomllib.loads((REPO / "pyproject.toml").read_text(encoding="utf-8"))["project"]
LOCK = (REPO / "requirements.lock").read_text(encoding="utf-8")
RUNTIME = [Requirement(text) for text in PROJECT["dependencies"]]
EVERYTHING = RUNTIME + [
    Requirement(text) for extra in PROJECT["optional-dependencies"].values() for text in extra
]


def test_conda_gets_the_same_packages_with_the_same_bounds():
    file = yaml.safe_load((REPO / "environment.yml").read_text(encoding="utf-8"))
    *packages, pip, editable = file["dependencies"]
    found = {}
    for text in packages:
        package = Requirement(text)
        found[CONDA_NAMES.get(package.name, package.name)] = package.specifier
    wanted = {package.name: package.specifier for package in RUNTIME}
    assert found == {"python": SpecifierSet(PROJECT["requires-python"]), **wanted}
    assert (pip, editable) == ("pip", {"pip": ["-e ."]})


@pytest.mark.parametrize("package", EVERYTHING, ids=lambda package: package.name)
def test_the_lock_pins_every_package_within_its_bounds(package):
    pins = re.findall(rf"^{re.escape(package.name)}==([^ ;]+)", LOCK, re.MULTILINE)
    assert pins, f"{package.name} is not in requirements.lock: run make lock"
    assert all(package.specifier.contains(pin) for pin in pins)


def test_the_lock_has_a_hash_for_every_pin_and_no_address():
    entries = re.split(r"\n(?=\S)", LOCK)
    pins = [entry for entry in entries if "==" in entry.partition("\n")[0]]
    assert len(pins) > len(EVERYTHING)
    assert [p.partition("\n")[0] for p in pins if "--hash=sha256:" not in p] == []
    assert "://" not in LOCK
