"""Chromatic fitness: a trained scorer of how well music, sound and words fit a color.

`fusion_model` is trained on piano rolls and vectors of segments, `fusion_evaluation` measures it on songs that it was
not trained on, and `chromatic_scorer` is one ONNX file with its contract and the results of its gates::

    scorer = chromatic_scorer.load(store)
    score = scorer.score(midi=Path("song.mid"), concept="a field that forgot its name", color="Green")
"""
