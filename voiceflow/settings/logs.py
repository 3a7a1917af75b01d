"""One structured line an event, on standard error."""

from apps.core.logging import logging_config

from .env import ENV

LOGGING = logging_config(level=ENV["LOG_LEVEL"], style=ENV["LOG_FORMAT"])
