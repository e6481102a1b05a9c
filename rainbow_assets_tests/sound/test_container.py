"""Sound whose header is wrong: what the file proves is read, the rest is refused, and nothing is shorter in silence."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
from hypothesis import given, settings
from hypothesis import strategies as st

from rainbow_assets.sound.stems import UnreadableAudio, examine, probe, read_stem
from rainbow_assets_tests.counts import examples

RATE = 44100
SOUND = np.random.default_rng(3).integers(-9999, 9999, 3 * RATE).astype(np.int16)
RAW = SOUND.tobytes()
FMT = struct.pack("<HHIIHH", 1, 1, RATE, 2 * RATE, 2, 16)
W64 = {b"riff": "2E91CF11A5D628DB04C10000", b"wave": "F3ACD3118CD100C04F8EDB8A"}


def chunk(name: bytes, data: bytes, claimed: int | None = None, order: str = "<", pad: bool = True) -> bytes:
    return name + struct.pack(f"{order}I", len(data) if claimed is None else claimed) + data + (
        b"\0" if pad and len(data) & 1 else b"")


def riff(*chunks: bytes, claimed: int | None = None, name: bytes = b"RIFF") -> bytes:
    body = b"WAVE" + b"".join(chunks)
    return name + struct.pack("<I", len(body) if claimed is None else claimed) + body


def wav(claimed: int | None = None, riff_size: int | None = None, after: bytes = b"", data: bytes = RAW) -> bytes:
    return riff(chunk(b"fmt ", FMT), chunk(b"data", data, claimed), after, claimed=riff_size)


def rf64(claimed: int, riff_size: int = 0) -> bytes:
    sizes = struct.pack("<QQQI", riff_size, claimed, claimed // 2, 0)
    return riff(chunk(b"ds64", sizes), chunk(b"fmt ", FMT), chunk(b"data", RAW, 0xFFFFFFFF), claimed=0xFFFFFFFF, name=b"RF64")


def w64(claimed: int | None = None) -> bytes:
    tail = bytes.fromhex(W64[b"wave"])

    def part(name: bytes, data: bytes, size: int) -> bytes:
        return name + tail + struct.pack("<Q", size) + data + bytes(-len(data) % 8)

    parts = part(b"fmt ", FMT, 24 + len(FMT)) + part(b"data", RAW, 24 + len(RAW) if claimed is None else claimed)
    head = b"riff" + bytes.fromhex(W64[b"riff"])
    return head + struct.pack("<Q", 40 + len(parts)) + b"wave" + tail + parts


def aiff(claimed: int | None = None, counted: int | None = None) -> bytes:
    big = SOUND.astype(">i2").tobytes()
    rate = struct.pack(">HQ", 16383 + 15, RATE << 48)
    frames = len(SOUND) if counted is None else counted
    comm = chunk(b"COMM", struct.pack(">HIH", 1, frames, 16) + rate, order=">")
    size = None if claimed is None else claimed
    body = b"AIFF" + comm + chunk(b"SSND", bytes(8) + big, size, order=">")
    return b"FORM" + struct.pack(">I", len(body)) + body


def flac(total: int | None = None) -> bytes:
    out = io.BytesIO()
    sf.write(out, SOUND, RATE, format="FLAC", subtype="PCM_16")
    data = bytearray(out.getvalue())
    if total is not None:
        data[21] = data[21] & 0xF0 | total >> 32
        data[22:26] = (total & 0xFFFFFFFF).to_bytes(4, "big")
    return bytes(data)


def ape(header: bool) -> bytes:
    """Return a tag that some players append: an item, and a footer that has the size of both."""
    item = struct.pack("<II", 4, 0) + b"Title\0Kite"
    both = [b"APETAGEX" + struct.pack("<IIII", 2000, len(item) + 32, 1, flags | header << 31) + bytes(8)
            for flags in (1 << 29, 0)]
    return (both[0] if header else b"") + item + both[1]


def wide(bits: int, size: int) -> bytes:
    """Return the sound in PCM of ``bits`` bits in words of ``size`` bytes."""
    words = SOUND.astype("<i4") << 16
    return riff(chunk(b"fmt ", struct.pack("<HHIIHH", 1, 1, RATE, size * RATE, size, bits)),
                chunk(b"data", words.tobytes()))


WHOLE: dict[str, bytes] = {
    "plain": wav(),
    "chunks after the sound": wav(after=chunk(b"LIST", b"INFOIART") + chunk(b"bext", bytes(603))),
    "a chunk nobody knows": wav(after=chunk(b"zyxw", bytes(12))),
    "a last chunk that is cut": wav(after=chunk(b"LIST", bytes(10), 4000)),
    "odd chunks before it": riff(chunk(b"junk", b"odd"), chunk(b"fmt ", FMT), chunk(b"data", RAW)),
    "an ID3 tag behind it": wav() + b"ID3\x04\0\0\0\0\0\x20" + bytes(range(1, 33)),
    "the old tag behind it": wav() + b"TAG" + b"x" * 125,
    "the last frame unpadded": riff(chunk(b"fmt ", FMT), chunk(b"data", RAW), chunk(b"LIST", b"odd", pad=False)),
    "RF64": rf64(len(RAW)),
    "W64": w64(),
    "AIFF": aiff(),
    "FLAC": flac(),
    "FLAC with a tag before it": b"ID3\x04\0\0\0\0\0\x20" + bytes(32) + flac(),
    "FLAC with a tag behind it": flac() + b"TAG" + b"x" * 125,
    "FLAC whose encoder counted the last, shorter block": flac()[:8] + (16).to_bytes(2, "big") + flac()[10:],
}
WHOLE |= {
    "FLAC with an APE tag behind it": flac() + ape(header=False),
    "FLAC with an APE tag that has a header, and the old tag": flac() + ape(header=True) + b"TAG" + b"x" * 125,
    "a block size of 0": riff(chunk(b"fmt ", FMT[:12] + bytes(2) + FMT[14:]), chunk(b"data", RAW)),
}
CORRECTED: dict[str, bytes] = {
    "says less": wav(2 * RATE),
    "says nothing": wav(0),
    "RIFF open as well": wav(0, 0),
    "largest": wav(0xFFFFFFFF, 0xFFFFFFFF),
    "largest less its header": wav(0xFFFFFFFF - 36, 0xFFFFFFFF),
    "largest signed": wav(0x7FFFFFFF, 0x7FFFFFFF),
    "SoX to a pipe": wav(0x7FFFF000, 0x7FFFF024),
    "half the range": wav(0x80000000, 0x80000024),
    "RF64 without a size": rf64(0),
    "RF64 that says less": rf64(2 * RATE),
    "AIFF counts less": aiff(counted=RATE),
    "AIFF counts nothing": aiff(counted=0),
    "AIFF open": aiff(0xFFFFFFFF, 0),
    "AIFF says less": aiff(8 + 2 * RATE, RATE),
    "FLAC open": flac(0),
    "FLAC says less": flac(RATE),
}
REFUSED: dict[str, bytes] = {
    "says more": wav(len(RAW) + 1000),
    "says much more": wav(1 << 30),
    "RF64 says more": rf64(len(RAW) * 2),
    "RF64 says as much as there can be": rf64(2**64 - 2),
    "W64 says more": w64(24 + 2 * len(RAW)),
    "W64 says as much as there can be": w64(2**63 - 1),
    "AIFF says more": aiff(8 + 2 * len(RAW)),
    "two sounds": wav(after=chunk(b"data", RAW)),
    "two sounds and one word between": wav(after=chunk(b"LIST", b"INFO") + chunk(b"data", RAW)),
    "sound or not": wav(2 * RATE, 36 + 2 * RATE),
    "a chunk before it that never ends": riff(chunk(b"junk", b"x", 1 << 30), chunk(b"fmt ", FMT), chunk(b"data", RAW)),
    "no format": riff(chunk(b"data", RAW)),
    "an empty sound": wav(data=b""),
    "FLAC says more": flac(len(SOUND) * 2),
    "FLAC says as much as there can be": flac((1 << 36) - 1),
    "FLAC cut": flac()[:-1],
    "FLAC cut and open": flac(0)[:-5000],
    "FLAC without a frame": flac()[:86],
    "frames of nothing": riff(chunk(b"fmt ", struct.pack("<HHIIHH", 1, 0, RATE, 0, 0, 0)), chunk(b"data", RAW)),
}


def other(kind: str, subtype: str) -> bytes:
    """Return the sound in a container whose length nothing in it proves."""
    out = io.BytesIO()
    sf.write(out, SOUND, 48000 if subtype == "OPUS" else RATE, format=kind, subtype=subtype)
    return out.getvalue()


REFUSED |= {
    "frames of two sizes": riff(chunk(b"fmt ", FMT[:12] + b"\4\0" + FMT[14:]), chunk(b"data", RAW)),
    "a WAV behind a tag": b"ID3\x04\0\0\0\0\0\x20" + bytes(32) + wav(),
    **{f"{kind} {subtype}, {state}": data[:len(data) // share] for kind, subtype in (
        ("AU", "PCM_16"), ("CAF", "PCM_16"), ("OGG", "VORBIS"), ("OGG", "OPUS"), ("MP3", "MPEG_LAYER_III"))
       for data in [other(kind, subtype)] for state, share in (("whole", 1), ("cut", 2))},
}


def saved(folder: Path, data: bytes) -> Path:
    path = folder / "stem.wav"
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("name", WHOLE)
def test_a_whole_file_is_read_to_its_end_without_a_remark(name: str, tmp_path: Path) -> None:
    path = saved(tmp_path, WHOLE[name])
    assert probe(path) == examine(path) and probe(path).frames == len(SOUND) and probe(path).remarks == ()
    assert np.array_equal(read_stem(path).samples, SOUND)
    assert np.array_equal(read_stem(path, data=WHOLE[name]).samples, SOUND)


@pytest.mark.parametrize("name", CORRECTED)
def test_a_wrong_header_is_corrected_by_the_file_and_the_remark_has_both_numbers(name: str, tmp_path: Path) -> None:
    path = saved(tmp_path, CORRECTED[name])
    info = probe(path)
    assert info == examine(path) and info.frames == len(SOUND)
    (remark,) = info.remarks
    assert remark.startswith("stem.wav: its header") and "read" in remark
    assert np.array_equal(read_stem(path).samples, SOUND)
    assert np.array_equal(read_stem(path, data=CORRECTED[name]).samples, SOUND)


@pytest.mark.parametrize("name", REFUSED)
def test_what_the_file_does_not_prove_is_refused_the_same_by_all(name: str, tmp_path: Path) -> None:
    path = saved(tmp_path, REFUSED[name])
    sentences = set()
    for use in (probe, examine, read_stem):
        with pytest.raises(UnreadableAudio, match=r"^stem\.wav .*export it again") as caught:
            use(path)
        sentences.add(str(caught.value))
    assert len(sentences) == 1


def test_words_of_32_bits_that_hold_24_are_read(tmp_path: Path) -> None:
    path = saved(tmp_path, wide(24, 4))
    assert probe(path) == examine(path) and probe(path).frames == len(SOUND) and probe(path).remarks == ()
    assert np.array_equal(read_stem(path).samples, SOUND.astype(np.int32) << 8)


def test_silence_after_the_sound_is_padding(tmp_path: Path) -> None:
    path = saved(tmp_path, wav(riff_size=36 + len(RAW)) + bytes(500_000))
    assert probe(path).frames == len(SOUND) and "500000 bytes after the sound" in probe(path).remarks[0]


def test_what_cannot_be_decoded_is_found_without_keeping_it(tmp_path: Path) -> None:
    path = tmp_path / "stem.wav"
    sf.write(path, np.array([0.1, np.nan, 0.2] * 1000), RATE, subtype="FLOAT", format="WAV")
    with pytest.raises(UnreadableAudio, match="NaN"):
        examine(path)
    data = bytearray(flac())
    data[len(data) // 2:len(data) // 2 + 400] = bytes(400)
    with pytest.raises(UnreadableAudio):
        examine(saved(tmp_path, bytes(data)))


@settings(max_examples=examples(150), deadline=None)
@given(st.data())
def test_no_header_makes_sound_longer_than_its_file_or_shorter_in_silence(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    makers: list[Callable[[int], bytes]] = [wav, lambda size: wav(size, min(size + 36, 2**32 - 1)), rf64, w64, aiff, flac]
    size = data.draw(st.one_of(st.integers(0, 2**32 - 1), st.integers(0, 2 * len(RAW)), st.integers(2**31 - 9, 2**31 + 9)))
    path = saved(tmp_path_factory.mktemp("stem"), data.draw(st.sampled_from(makers))(size))
    try:
        info = probe(path)
    except UnreadableAudio as error:
        assert str(error).startswith("stem.wav")
        return
    stem = read_stem(path)
    assert len(stem.samples) == info.frames <= len(SOUND)
    assert info.frames == len(SOUND) or info.remarks or len(SOUND) - info.frames <= 1
