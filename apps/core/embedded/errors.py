"""What can go wrong, in words for whoever typed the command."""


class EmbeddedError(Exception):
    """An embedded service cannot run here; the message is one line and says what to do."""
