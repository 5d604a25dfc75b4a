"""The bundled files are found, complete, and what they claim to be."""

from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from app import resources
from app.resources import MissingResource, resource, resources_folder


@pytest.fixture
def _forget_folder():
    resources_folder.cache_clear()
    yield
    resources_folder.cache_clear()


def test_checkout_has_its_resources_beside_the_package():
    assert resources_folder() == Path(resources.__file__).parents[1] / "resources"


@pytest.mark.usefixtures("_forget_folder")
def test_a_wheel_has_them_inside_the_package(tmp_path, monkeypatch):
    (tmp_path / "app" / "_resources" / "data").mkdir(parents=True)
    monkeypatch.setattr(resources, "PACKAGE", tmp_path / "app")
    assert resource("data") == tmp_path / "app" / "_resources" / "data"


@pytest.mark.usefixtures("_forget_folder")
def test_missing_files_are_named(tmp_path, monkeypatch):
    with pytest.raises(MissingResource, match=r"fonts/nothing\.otf is missing"):
        resource("fonts", "nothing.otf")
    resources_folder.cache_clear()
    monkeypatch.setattr(resources, "PACKAGE", tmp_path / "app")
    with pytest.raises(MissingResource, match="Install Chalkgraph again"):
        resources_folder()


def test_digits_are_the_whole_set():
    with np.load(resource("data", "digits.npz")) as stored:
        images, labels = stored["images"], stored["labels"]
    assert images.shape == (1797, 8, 8)
    assert images.dtype == np.uint8
    assert (int(images.min()), int(images.max())) == (0, 16)
    # published with the data set: how often each digit comes in the test set
    assert np.bincount(labels).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]


def test_the_first_digit_is_a_zero_with_a_hole():
    with np.load(resource("data", "digits.npz")) as stored:
        image, label = stored["images"][0], stored["labels"][0]
    assert label == 0
    assert image[3:5, 3].sum() == 0
    assert image[3:5, 2].min() > 0


def test_sources_and_licences_are_named():
    assert "CC BY 4.0" in resource("data", "README.md").read_text(encoding="utf-8")
    assert "SIL OPEN FONT LICENSE Version 1.1" in resource("fonts", "OFL.txt").read_text(encoding="utf-8")
    apache = Path(__file__).parents[1].joinpath("LICENSE").read_text(encoding="utf-8")
    assert "Apache License" in apache
    assert "END OF TERMS AND CONDITIONS" in apache


def test_every_icon_is_drawn_on_the_same_grid():
    icons = sorted(resource("icons").glob("*.svg"))
    assert len(icons) > 40
    for path in icons:
        if path.stem == "chalkgraph":
            continue
        root = ElementTree.parse(path).getroot()
        assert root.get("viewBox") == "0 0 24 24", path.name


def test_fonts_stay_small():
    assert sum(path.stat().st_size for path in resource("fonts").iterdir()) < 2_500_000
