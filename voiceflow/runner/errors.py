"""How a start can end before everything runs."""


class StartFailedError(Exception):
    """The platform cannot start; the message is for the terminal and says what to do."""


class StopRequestedError(Exception):
    """Ctrl-C or SIGTERM came while the platform was starting."""
