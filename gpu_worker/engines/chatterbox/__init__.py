"""Chatterbox: voices cloned from a few seconds, on a GPU. Its models load only with `torch` installed."""
