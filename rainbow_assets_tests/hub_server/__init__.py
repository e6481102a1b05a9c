"""A Hub on loopback: the HTTP surface that the unmodified ``huggingface_hub`` and ``datasets`` clients use."""
