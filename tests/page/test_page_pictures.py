"""The pictures of docs/ are drawn anew, and are those that stand there."""

from pathlib import Path

import pytest

pytest.importorskip("PIL", reason="pillow, which compares pictures, comes with the extra dev")

from PIL import Image, ImageChops, ImageStat

from tests.page.pictures import FOLDER, PICTURES, write

_ALIKE = 4.0
"""Of 255, in the mean: browsers and fonts of other versions draw edges otherwise."""


@pytest.mark.thorough  # two whole pages are drawn
def test_the_pictures_of_the_docs_show_what_the_page_shows(tmp_path: Path) -> None:
    """Else: `python -m tests.page.pictures`, and look at them."""
    assert [path.name for path in write(tmp_path)] == [name for name, *_ in PICTURES]
    for name, _, width, height in PICTURES:
        made, kept = (Image.open(folder / name).convert("RGB") for folder in (tmp_path, FOLDER))
        assert made.size == kept.size == (width, height)
        assert max(ImageStat.Stat(ImageChops.difference(made, kept)).mean) < _ALIKE
