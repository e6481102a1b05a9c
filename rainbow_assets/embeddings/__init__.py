"""Vectors of concepts, lyrics and audio, one row per segment.

An ``EncoderSpec`` defines the values of a vector, an engine computes vectors (here or on Modal), and one runner above
the engines has the cache, the budget, retries and quarantine. Each distinct input is embedded once::

    failed = Runner(open_engine(rules.embeddings), VectorCache.of(store, spec), rules.embeddings).run(units)
"""
