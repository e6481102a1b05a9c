"""Time signatures as text."""

import pytest

from rainbow_assets.music.meter import parse_signature, usual


@pytest.mark.parametrize(("text", "value"), [
    ("4/4", (4, 4)), (" 7 / 8 ", (7, 8)), ("18/32", (18, 32)), ("0/4", None), ("4/0", None), ("4", None), ("a/b", None),
    ("", None), ("4/4/4", None), ("-4/4", None),
])
def test_signatures(text: str, value: tuple[int, int] | None) -> None:
    assert parse_signature(text) == value


def test_usual_signatures():
    assert usual((7, 8)) and usual((16, 32)) and not usual((18, 32)) and not usual((3, 5))
