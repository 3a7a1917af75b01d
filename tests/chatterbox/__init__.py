"""Chatterbox's engines on random weights: `make test-chatterbox`, in an environment of its own."""
