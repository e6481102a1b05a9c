"""Composing songs: a proposal becomes finished pieces of chords, drums, bass and melody, scored and explained.

Four stages build on each other. Each draws candidates, breeds them, and keeps good ones that differ. The best pieces
are rendered to sound, and a person approves or rejects them with `rainbow review`. The main calls order a song and run
one stage over the candidates that the stage before kept::

    song_id = songs.place_order(store, proposal.read_proposal(Path("song.yml")), {})
    evolve.compose([evolve.Population(stage, context, fitness, rules, draws)], ranked_by_fitness=True)
"""
