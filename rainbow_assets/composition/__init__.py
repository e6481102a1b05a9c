"""Composing songs: a proposal becomes chords, drums, bass and melody, each with scores, an explanation and a parent.

Four stages build on each other; each draws candidates, breeds them, and keeps the best that differ. The best pieces are
rendered to sound, and a person approves or rejects them with `rainbow review`. The main calls write an order for a
song, and run one stage over the candidates kept by the stage before::

    song_id = songs.place_order(store, proposal.read_proposal(Path("song.yml")), {})
    evolve.compose([evolve.Population(stage, context, fitness, rules, draws)], ranked_by_fitness=True)
"""
