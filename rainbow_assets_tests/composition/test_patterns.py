"""Meters and templates: every pattern fits every meter, and a file that does not say so in a sentence."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rainbow_assets.composition.errors import ProposalError, TemplateError
from rainbow_assets.composition.meter import LEAST_QUARTERS, MOST_QUARTERS, Meter
from rainbow_assets.composition.templates import fit, template_digest, templates
from rainbow_assets_tests.composition import songs

KINDS = ("drums", "bass", "melody", "strum")


@given(st.integers(1, 32), st.sampled_from([1, 2, 4, 8, 16, 32]))
def test_beats_fill_the_bar_or_the_meter_is_refused(top: int, bottom: int) -> None:
    if not LEAST_QUARTERS <= top * 4 / bottom <= MOST_QUARTERS:
        with pytest.raises(ProposalError, match=f"time_signature {top}/{bottom} has bars of"):
            Meter(top, bottom)
        return
    meter = Meter(top, bottom)
    assert meter.steps * meter.step_ticks == meter.bar_ticks == round(top * 4 / bottom * 480)
    ends = [beat.start + beat.steps for beat in meter.beats]
    assert [beat.start for beat in meter.beats] == [0, *ends[:-1]] and ends[-1] == meter.steps
    assert meter.beats[0].strength == 1 and all(beat.strength < 1 for beat in meter.beats[1:])
    assert len(meter.strengths) == meter.steps


@pytest.mark.parametrize(("time", "sizes"), [("4/4", [4] * 4), ("7/8", [4, 4, 6]), ("6/8", [6, 6]), ("5/8", [4, 6]),
                                             ("5/4", [4] * 5), ("13/16", [2] * 5 + [3]), ("3/8", [6])])
def test_meters_are_felt_as_they_are_played(time: str, sizes: list[int]) -> None:
    assert [beat.steps for beat in songs.meter(time).beats] == sizes


@pytest.mark.parametrize("time", songs.METERS)
@pytest.mark.parametrize("kind", KINDS)
def test_every_template_fits_every_meter(kind: str, time: str) -> None:
    meter = songs.meter(time)
    for template in templates(kind):
        for voice, bar in template.bar(meter).items():
            assert len(bar) == meter.steps, (template.name, voice)
        if template.meter == time:
            assert {voice: "".join(cells) for voice, cells in template.rows} == template.bar(meter)


def test_cells_are_cut_and_prolonged() -> None:
    assert fit("x.o.", 4) == "x.o." and fit("x.o.", 2) == "xo" and fit("x.o.", 3) == "x.o"
    assert fit("x.o.", 6) == "x.o.o." and fit("x", 3) == "xx."


def test_a_persons_own_templates_join_in(tmp_path: Path) -> None:
    before, known = template_digest("bass"), len(templates("bass"))
    (tmp_path / "bass.toml").write_text(
        '# mine\n[[bass]]\nname = "mine"\nfamily = "root"\nenergy = "low"\nmeter = "4/4"\nline = "R--- ---- ---- A---"\n')
    assert templates("bass", tmp_path)[-1].name == "mine" and len(templates("bass", tmp_path)) == known + 1
    assert template_digest("bass", tmp_path) != before == template_digest("bass")


@pytest.mark.parametrize(("text", "said"), [
    ("[[drums", "drums.toml are not valid TOML"),
    ("x = 1", r"drums.toml have no \[\[drums\]\] entries"),
    ('[[drums]]\nname = "a"', r"drums.toml: \[\[drums\]\] 1 \(a\): the field family is missing"),
    ('[[drums]]\nname="a"\nfamily="b"\nenergy="huge"\nmeter="4/4"\nkick="x..."', "energy is 'huge'; write one of low"),
    ('[[drums]]\nname="a"\nfamily="b"\nenergy="low"\nmeter="4/4"\nkick="x..?"', r"kick contains \?; write cells of"),
    ('[[drums]]\nname="a"\nfamily="b"\nenergy="low"\nmeter="4/4"', "it has no voice"),
    ('[[drums]]\nname="a"\nfamily="b"\nenergy="low"\nmeter="4/4"\nkick="x... ...."\nsnare="...."', "different numbers of beats"),
])
def test_a_bad_template_is_named(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "drums.toml").write_text(text)
    with pytest.raises(TemplateError, match=said):
        templates("drums", tmp_path)
