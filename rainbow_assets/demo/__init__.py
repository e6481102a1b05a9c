"""A small corpus that can be heard, written from the Rainbow Table alone, and stand-in media for real manifests."""
