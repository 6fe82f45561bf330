"""Versions of packages are read once, and again when one is installed."""

from importlib import metadata

from evaluation.report.record.describe import package_versions


def test_packages_are_read_again_once_one_is_installed(tmp_path, monkeypatch):
    before = package_versions()
    calls = []
    real = metadata.distribution
    monkeypatch.setattr(metadata, "distribution", lambda name: calls.append(name) or real(name))
    package_versions().clear()  # a copy: what is remembered stays as it is
    assert package_versions() == before and not calls
    monkeypatch.syspath_prepend(tmp_path)
    info = tmp_path / "numpy-0.0.1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: numpy\nVersion: 0.0.1\n")
    assert package_versions() == {**before, "numpy": "0.0.1"}
