"""Tests of fitness."""
