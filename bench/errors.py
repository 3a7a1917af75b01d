class BenchError(Exception):
    """Something does not run as it should, so there is nothing to measure; the message is for a person."""
