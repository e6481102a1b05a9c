"""Publishing immutable versions of the dataset: previews, data files, the card, the listening page, and hubs.

A version is published only if a build has nothing to do and every gate passed; it is moved into the hub in one step, so
that a reader sees all of it or nothing. The main call::

    published = publish.publish(graph, store, version="0.3.0")
"""
