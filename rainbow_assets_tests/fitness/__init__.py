"""Tests of the fitness room."""
