"""Keys, time signatures and colors: every spelling seen, every correction said, goldens of the published history."""

from __future__ import annotations

import csv

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rainbow_assets.threads.colors import read_color
from rainbow_assets.threads.feedback import measure
from rainbow_assets.threads.keys import first_letter_label, read_key, read_meter
from rainbow_assets.threads.measured import read_folder
from rainbow_assets_tests.counts import examples
from rainbow_assets_tests.threads.places import SHARED, needs_shared


@pytest.mark.parametrize(("raw", "label", "corrected"), [
    ("C major", "C major", False), ("F# minor", "F# minor", False), ("A ♭ major", "Ab major", True),
    ("A# major", "Bb major", True), ("Bb", "Bb major", True), ("B ♭ major", "Bb major", True), ("Am", "A minor", True),
    ("f-sharp minor", "F# minor", True), ("Cb major", "B major", True), ("D dorian", "D dorian", False),
    ("C major (resolving through complete chromatic cycle)", "C major", True), ("G♯ minor", "G# minor", True),
    ("A ll Keys (Chromatic Convergence)", None, True), ("C hromatic Complete", None, True), ("", None, False),
    (None, None, False), (7, None, True),
    ({"note": {"pitch_name": "B", "accidental": "flat"}, "mode": {"name": "minor", "intervals": [2]}}, "Bb minor", True),
    ({"note": {"pitch_name": "F", "accidental": "#"}, "mode": "major"}, "F# major", True), ({"x": 1}, None, True),
])
def test_keys(raw: object, label: str | None, corrected: bool) -> None:
    read = read_key(raw)
    assert read.label == label and bool(read.corrections) == corrected
    assert (read.status == "read") == (label is not None)


@settings(max_examples=examples(200), deadline=None)
@given(st.sampled_from("ABCDEFG"), st.sampled_from(["", "#", "b", "♯", " ♭", "##", "bb"]),
       st.sampled_from(["major", "minor"]))
def test_enharmonics_are_one_key_and_reading_twice_changes_nothing(letter: str, sign: str, mode: str) -> None:
    read = read_key(f"{letter}{sign} {mode}")
    assert read.label is not None
    again = read_key(read.label)
    assert again.label == read.label and not again.corrections


@settings(max_examples=examples(300), deadline=None)
@given(st.text() | st.none() | st.integers() | st.dictionaries(st.text(), st.text()))
def test_nothing_makes_a_key_a_meter_or_a_color_raise(value: object) -> None:
    read_key(value)
    read_meter(value)
    read_color(value)
    first_letter_label(value)


def test_time_signatures() -> None:
    assert read_meter({"numerator": 7, "denominator": 8}).label == "7/8"
    assert read_meter("5/4").mapping == {"numerator": 5, "denominator": 4}
    assert read_meter("Moderato").label is None and read_meter("Moderato").text == "Moderato"
    assert read_meter({"numerator": 0, "denominator": 8}).label is None and read_meter(None).text is None


def test_colors_are_corrected_one_by_one() -> None:
    green = read_color({"color_name": "Green", "mnemonic_character_value": "G", "hex_value": 0xFF00,
                        "temporal_mode": "Past", "objectional_mode": "Place", "ontological_mode": ["Forgotten"]})
    assert green.color is not None and green.color.name == "Green"
    assert {(item.field, item.found, item.canonical) for item in green.corrections} == {
        ("hex_value", "00FF00", "ABD96D"), ("temporal_mode", "Past", "Future")}
    indigo = read_color({"color_name": "Indigo", "ontological_mode": ["Forgotten", "Known"], "temporal_mode": "None"})
    assert indigo.corrections == ()
    white = read_color({"color_name": "White", "mnemonic_character_value": "W"})
    assert [(item.found, item.canonical) for item in white.corrections] == [("W", "A")]
    for raw, name in (("Y", "Yellow"), ("indigo", "Indigo"), ("W", "White"), ("Blue (0x00ff)", "Blue")):
        found = read_color(raw).color
        assert found is not None and found.name == name
    assert read_color("mauve").color is None and read_color(None).color is None


@needs_shared
def test_the_golden_figures_of_the_twenty_manifests() -> None:
    final = measure(read_folder(SHARED / "threads" / "manifests_20")).final
    original, normalized = final.original.as_dict(), final.normalized.as_dict()
    assert (original["entropy_bits"], normalized["entropy_bits"]) == (1.67, 1.82)
    assert original["distribution"][0] | {"low": 0, "high": 0} == {
        "name": "C major", "count": 12, "share": 0.6, "low": 0, "high": 0}
    assert (normalized["distribution"][0]["name"], normalized["distribution"][0]["share"]) == ("C major", 0.55)
    bpm = final.as_dict()["bpm"]
    assert (bpm["std"], bpm["variance"], bpm["mean"]) == (8.14, 66.29, 92.9)
    with open(SHARED / "expected" / "diversity_history.csv", encoding="utf-8") as stream:
        row = next(csv.DictReader(stream))
    assert row["bpm_constraints"] == "; ".join(
        f"{item.low}-{item.high}@{item.center} n={item.count} {item.share:g}" for item in final.original_bpm_clusters)
