"""Contract models: tiny, seeded DeBERTa and CLAP directories, made here and loaded through the real `from_pretrained`."""

from __future__ import annotations

import io
from pathlib import Path

from rainbow_assets.embeddings.encoders import model_folder
from rainbow_assets.embeddings.specs import CLAP_MUSIC, DEBERTA_TEXT, EncoderSpec

WORDS = ["rainbow", "memory", "forgotten", "places", "people", "things", "time", "space", "song", "river", "glass",
         "static", "signal", "chorus", "winter", "copper", "lantern", "mirror", "orchard", "engine"]


def make_all(root: Path) -> Path:
    """Write every contract model below ``root`` as RAINBOW_MODELS wants them; return ``root``."""
    deberta(model_folder(root, DEBERTA_TEXT))
    clap(model_folder(root, CLAP_MUSIC))
    return root


def deberta(folder: Path, full: bool = False) -> None:
    """A DeBERTa v3 of one layer (``full``: all twelve) and the real 768 numbers; a vocabulary is trained here."""
    import sentencepiece
    import torch
    from transformers import DebertaV2Config, DebertaV2Model

    folder.mkdir(parents=True)
    lines = [f"{a} {b} of the {c}" for a in WORDS for b in WORDS for c in WORDS[:4]]
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(lines), model_writer=model, vocab_size=200, model_type="unigram", pad_id=0, bos_id=1,
        eos_id=2, unk_id=3, pad_piece="[PAD]", bos_piece="[CLS]", eos_piece="[SEP]", unk_piece="[UNK]",
        user_defined_symbols=["[MASK]"], hard_vocab_limit=False, minloglevel=2)
    (folder / "spm.model").write_bytes(model.getvalue())
    torch.manual_seed(7)
    config = DebertaV2Config(
        vocab_size=128_100 if full else 256, hidden_size=768, num_hidden_layers=12 if full else 1,
        num_attention_heads=12, intermediate_size=3072 if full else 64,
        relative_attention=True, share_att_key=True, pos_att_type=["p2c", "c2p"], position_buckets=256,
        norm_rel_ebd="layer_norm", max_position_embeddings=512, type_vocab_size=0, position_biased_input=False)
    DebertaV2Model(config).eval().save_pretrained(folder)


def clap(folder: Path, full: bool = False) -> None:
    """A CLAP with a tiny audio tower (``full``: the real one) and 512 numbers; its extractor crops at random."""
    import torch
    from transformers import ClapConfig, ClapFeatureExtractor, ClapModel

    torch.manual_seed(11)
    config = ClapConfig() if full else ClapConfig(
        projection_dim=512,
        text_config={"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 37,
                     "vocab_size": 1000},
        audio_config={"patch_embeds_hidden_size": 16, "hidden_size": 32, "depths": [1, 1],
                      "num_attention_heads": [2, 2], "window_size": 8, "num_mel_bins": 64, "spec_size": 256})
    ClapModel(config).eval().save_pretrained(folder)
    ClapFeatureExtractor(truncation="rand_trunc", padding="repeatpad").save_pretrained(folder)


def spec_for(name: str) -> EncoderSpec:
    """Return the production spec of the contract model ``name``."""
    return {"deberta": DEBERTA_TEXT, "clap": CLAP_MUSIC}[name]
