"""Text and audio vectors: specs, encoders, engines, cache, health."""
