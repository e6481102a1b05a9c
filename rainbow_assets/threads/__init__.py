"""Threads: the agents' raw folders packed into clean ones, measured, and turned into advice for the next."""
