"""The words of the demo: titles, concepts and lyrics put together from a color's modes and a song's own things."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rainbow_assets.music.draws import generator
from rainbow_assets.taxonomy import Color

WHEN: dict[str | None, tuple[str, ...]] = {
    "Past": ("Long after the last tram, {a} is still wound every evening out of old habit.",
             "In the year the river froze, somebody wrapped {a} in newspaper and put it away.",
             "What happened to {a} was settled decades ago, and the receipts have yellowed since."),
    "Present": ("Right now, on an ordinary weekday, {a} is being passed from hand to hand.",
                "This minute the kettle clicks off and {a} is all anyone in the kitchen talks about.",
                "As the song plays, {a} is being signed for at the door."),
    "Future": ("Four centuries from here, {a} will be switched on for the first time.",
               "Once the orbits have been repaired, {a} is going to wake and ask for its name.",
               "The day after tomorrow's tomorrow, {a} will have learned to hum."),
    None: ("No clock agrees about {a}.", "Before, during and after are one dial here, and {a} spins it.",
           "Every calendar that touches {a} comes back blank."),
}
WHAT: dict[str | None, tuple[str, ...]] = {
    "Thing": ("It is an object with a weight and a scratch on one side, kept near {b}.",
              "The thing itself fits in a coat pocket, next to {b}.",
              "Brass, wood and a missing screw: it was made to sit beside {b}."),
    "Place": ("It lies in a valley where {b} is the only landmark, and the air rings for a long time.",
              "You get there by walking through {b} until the echo changes.",
              "The whole site is wide, wet and empty but for {b}."),
    "Person": ("The woman who tells it keeps touching {b} while she speaks.",
               "He answers to a nickname, carries {b}, and sings under his breath.",
               "They are the neighbor everybody knows, the one with {b}."),
    None: ("Whether it is a thing, a place or a person depends on {b}.",
           "It has no shape that {b} could cast a shadow of.",
           "Only its noise remains, folded into {b}."),
}
HOW: dict[str | None, tuple[str, ...]] = {
    "Imagined": ("None of this was ever real; it was dreamt up during {c} and kept because it glows.",
                 "The rules were invented in one night of {c}, and they float."),
    "Forgotten": ("Nobody remembers the reason any more, and even {c} is fading from the photographs.",
                  "The name was lost first, then the face, and {c} went quietly last."),
    "Known": ("All of it can be checked: there is {c}, with a date, a stamp and two witnesses.",
              "This is simply how it was, as plain and regular as {c}."),
    None: ("It is unknown, and asking about {c} only makes the hiss louder.",
           "What {c} means here, no two listeners have agreed."),
}
LINES: dict[str | None, tuple[str, ...]] = {
    "Past": ("We wound {a} and waited by the stairs", "It was winter then and {a} was ours",
             "Your letter said that {a} would hold"),
    "Present": ("Now hold {a} and tell me what you see", "We are here, {a} is in the room",
                "Today I carry {a} down the street"),
    "Future": ("We will be light when {a} begins to sing", "Tomorrow opens {a} like a door",
               "Some day {a} will answer us by name"),
    "Thing": ("A scratch of brass beside {b}", "Turn it over, set it next to {b}"),
    "Place": ("Out past the echo, out past {b}", "Wide is the water around {b}"),
    "Person": ("She smiles and lends me {b}", "He hums a tune and looks at {b}"),
    "Imagined": ("I made it up from {c} and glass", "Floating, floating over {c}"),
    "Forgotten": ("What was the word for {c}", "Slowly, slowly, {c} is gone"),
    "Known": ("Count it out, {c} comes round again", "Just as sure as {c}"),
    None: ("Nothing, then {a}, then nothing", "Static over {b} tonight", "Turn the dial from {c} to zero",
           "Which of us is {a}", "The signal swallowed {b}", "No beginning, only {c}, no end"),
}
THINGS = ("a brass metronome", "the spare key", "a jar of buttons", "the blue telephone", "a cracked compass",
          "the paper lantern", "a bag of sand", "the ninth chair", "a borrowed umbrella", "the glass piano",
          "a tin of matches", "the long ladder", "a wooden whale", "the second mailbox")
COMPANY = ("the salt works", "a row of poplars", "the ferry bell", "an open window", "the dry fountain",
           "a red thermos", "the signal box", "a coil of rope", "the north stairs", "an unlit stage",
           "the weather mast", "a stack of plates", "the chalk cliff", "an empty aquarium")
EVENTS = ("the school holidays", "a slow eclipse", "the harvest count", "a power cut", "the tide table",
          "a game of chess", "the bus schedule", "an amateur broadcast", "the census", "a wedding dance",
          "the night shift", "a spelling contest", "the flood of ribbons", "a parade of kites")
MOODS: dict[str | None, tuple[str, ...]] = {
    "Past": ("nostalgic",), "Present": ("immediate",), "Future": ("weightless",), "Thing": ("tactile",),
    "Place": ("spacious",), "Person": ("intimate",), "Imagined": ("dreamy",), "Forgotten": ("wistful",),
    "Known": ("steady",), None: ("unsettled", "grainy"),
}
GENRES: dict[str | None, tuple[str, ...]] = {
    "Past": ("folk",), "Present": ("pop",), "Future": ("electronic",), "Thing": ("toy pop",), "Place": ("ambient",),
    "Person": ("chamber pop",), "Imagined": ("psychedelic",), "Forgotten": ("slowcore",), "Known": ("indie",),
    None: ("noise", "experimental"),
}
ARTISTS = (("The Tin Observatory", 9900001), ("Marble Arcade", 9900002), ("Ada Quill", 9900003),
           ("Low Orchard", 9900004), ("Paper Senate", 9900005), ("Nine Owls", 9900006))
"""Invented artists with invented Discogs numbers."""
THREADS = (
    ("Green", "The Orchard Keeps Its Own Time", "C major", 93,
     "A field that grows one row for every hour nobody counted."),
    ("Red", "A Ledger of Burnt Bridges", "C major", 88,
     "A clerk writes down each bridge as it burns, and the river corrects him."),
    ("Blue", "Harbor Without a Sea", "A minor", 93,
     "Ships wait in a dry harbor and tell each other about water."),
    ("Yellow", "Static at the Picnic", "C major", 120,
     "A radio plays tomorrow's weather to people who came for yesterday's."),
    ("Violet", "The Mirror Learns to Wait", "C major", 93,
     "A mirror that answers late, and then only with what was meant."),
    ("Indigo", "Letters Under the Floor", "D minor", 75,
     "A house keeps the letters that its tenants decided not to send."),
    ("Orange", "The Museum of Almost", "C major", 93,
     "A museum keeps what nearly happened, and the guide cannot leave the first room."),
    ("Black", "The Toll Keeper Counts Backwards", "E minor", 66,
     "A toll keeper is paid in years, and gives change."),
    ("Green", "Moss on the Ledger", "C major", 93,
     "Moss grows over the accounts of a farm until they are right."),
    ("Red", "The Map Was Hungry", "C major", 93,
     "A map eats the roads it has shown, so that everyone arrives once."),
)
"""Color, title, key, tempo and concept of the last proposal of each demo thread."""


@dataclass(frozen=True, slots=True)
class Words:
    """The texts of one song."""

    title: str
    concept: str
    lines: tuple[str, ...]
    mood: tuple[str, ...]
    genres: tuple[str, ...]
    sounds_like: tuple[tuple[str, int], ...]


def modes(color: Color) -> tuple[str | None, str | None, tuple[str | None, ...]]:
    """Return the temporal, spatial and ontological modes of ``color``; ``(None,)`` for no ontological mode."""
    return color.temporal, color.spatial, color.ontological or (None,)


def words(color: Color, sequence: int, seed: int) -> Words:
    """Write the texts of the color's song number ``sequence``; no two songs of a demo share a concept."""
    when, what, hows = modes(color)
    rng = generator("words", seed, color.name, sequence)
    # One shuffled deck per color: songs of a color never share their thing, so titles and concepts differ.
    place = sequence - 1
    a, b, c = (deck[int(generator("deck", seed, kind, color.name).permutation(len(deck))[place % len(deck)])]
               for kind, deck in enumerate((THINGS, COMPANY, EVENTS)))
    sentences = [_pick(rng, WHEN[when]), _pick(rng, WHAT[what]), *(_pick(rng, HOW[how]) for how in hows)]
    concept = " ".join(sentence.format(a=a, b=b, c=c) for sentence in sentences)
    bank = [line.format(a=a, b=b, c=c) for mode in dict.fromkeys((when, what, *hows)) for line in LINES[mode]]
    order = rng.permutation(len(bank))
    found = dict.fromkeys((when, what, *hows))
    artists = rng.permutation(len(ARTISTS))[:2]
    noun, other, event = (text.split(" ", 1)[1].title() for text in (a, b, c))
    title = f"{noun} and {other}" if sequence % 2 else f"{noun} During {event}"
    return Words(
        title, concept, tuple(bank[n] for n in order),
        tuple(mood for mode in found for mood in MOODS[mode]), tuple(genre for mode in found for genre in GENRES[mode]),
        tuple(ARTISTS[n] for n in sorted(artists)),
    )


def _pick(rng: np.random.Generator, bank: tuple[str, ...]) -> str:
    return bank[int(rng.integers(len(bank)))]
