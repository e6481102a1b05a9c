"""Tables of the built-in pack, written as romans: borrowed chords and common progressions.

Romans of major count from the major scale, of minor from the natural minor scale. The progressions are the schemata
of common practice and of popular songs (turnarounds, circle of fifths, lament, Andalusian cadence, doo-wop ...).
"""

from __future__ import annotations

COLORED = ("sus2", "sus4", "6", "m6", "add9", "madd9", "69", "m69", "7sus4", "9sus4", "maj7#11", "m7add11", "add11")
"""Types that are added on each degree for which the scale has all of their notes."""

BORROWED = {
    "major": """
        i i7 ii° iiø7 bIII bIIImaj7 iv iv6 iv7 v v7 bVI bVImaj7 bVI7 bVII bVII7 bVIImaj7 bII bIImaj7 bII7
        I7 II II7 III III7 VI VI7 VII VII7 V+ I+ V7b9 V7#5 V7b5 V7#9 V13(no11) vii°7 #iv° #ivø7 #iv°7 i6 iMaj7
        IV7 II9 VI7b9 III7b9 bVI6 bVImaj9 iv9 bIIImaj9 bVII9
    """,
    "minor": """
        I I7 V V7 V7b9 V9 V+ V7#5 V7b5 V7#9 IV IV7 IV9 ii ii7 #vi° #viø7 #vi°7 #vii° #vii°7 #viiø7 iMaj7 iMaj9 i6 i69
        bII bIImaj7 bII7 III+ IIImaj7#5 III7 VI7 VII7sus4 bv° bvø7 II7 vi7 iv6 IVadd9 #III°7 II II9 VI7b5 VII6 v7b9
    """,
}
"""Chords from the parallel mode, secondary dominants, leading-tone chords, tritone substitutes, modal mixture."""

PROGRESSIONS = {
    "major": {
        "diatonic": (
            "I V vi IV", "vi IV I V", "I vi IV V", "I IV V I", "I IV V IV", "ii V I I", "I vi ii V", "IV V iii vi",
            "I iii IV V", "I V IV IV", "IV I V vi", "I ii IV I", "vi ii V I", "I V vi iii IV I IV V", "iii vi ii V",
            "I IV ii V", "vi V IV V", "I IV vi V", "IV IV I V", "I ii iii IV", "I IV I V", "ii IV V I",
            "I vii° vi V IV iii ii V", "I IV vii° iii vi ii V I",
        ),
        "advanced": (
            "ii7 V7 Imaj7 Imaj7", "Imaj7 vi7 ii7 V7", "Imaj7 IVmaj7 iii7 vi7 ii7 V7 Imaj7 Imaj7", "I III vi IV",
            "I II7 V7 I", "I bVII IV I", "I IV iv I", "bVI bVII I I", "I I7 IV iv", "Imaj9 vi9 ii9 V13(no11)",
            "iii7 VI7 ii7 V7", "Imaj7 #iv°7 ii7 V7", "I bIII IV I", "IVmaj7 III7 vi7 I7", "Iadd9 Vsus4 vi7 IVmaj7",
            "Imaj7 bIIImaj7 bVImaj7 bII7", "ii7 bII7 Imaj7 Imaj7", "I V+ vi IV", "I VI7 II7 V7", "I bVI IV bVII",
            "Imaj7 VII7 iii7 VI7 ii7 V7b9 Imaj7 Imaj7", "vi7 IVmaj7 Iadd9 V7sus4", "IV iv6 iii7 VI7 ii7 V7",
            "I III7 vi7 II9 IV iv I V7",
        ),
    },
    "minor": {
        "diatonic": (
            "i VI III VII", "i VII VI VII", "i iv v i", "i VI VII i", "i VII VI v", "i iv VII III", "i III VII VI",
            "VI VII i i", "i v VI VII", "i iv VI v", "i VII III VI", "iv i VII VI", "i VI iv v", "ii° v i i",
            "i iv i VII", "VI III VII i", "i III iv VI", "i VII iv VI", "i v iv VII", "i ii° v i", "VI iv i VII",
            "i III VI iv", "i VII VI III iv VI VII i", "i iv VII III VI ii° v i",
        ),
        "advanced": (
            "i7 iv7 VII7 IIImaj7 VImaj7 iiø7 V7 i7", "iiø7 V7 i7 i7", "i VII VI V", "i iv V7 i", "i7 IV7 i7 IV7",
            "i VI iv V", "i bII V i", "i V7 i iv", "iMaj7 i7 i6 V7", "i9 iv9 VII7 IIImaj9", "i III IV VI",
            "i #vi° VI V", "VImaj7 VII7 i7 i7", "i VI7 V7 i", "i7 VImaj7 iiø7 V7b9", "i IV VII III",
            "i V VII IV VI III iv V",
            "iv7 V7b9 i9 i9", "i VII7 VImaj7 v7", "iadd9 VImaj7 IIImaj7 VII6", "i7 bIImaj7 i7 bIImaj7",
            "i III+ III IV", "i #vii°7 i iv", "VImaj7 iv7 i9 V7#5",
        ),
    },
}
"""By mode and group; one string is one progression, one chord a bar."""
