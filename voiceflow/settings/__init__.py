"""Django settings, all from the environment."""

from .base import *  # noqa: F403
from .logs import LOGGING as LOGGING
