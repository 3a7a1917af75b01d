"""The ASGI door: everything under `make run`, the speech API in production."""

import os
from typing import cast

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "voiceflow.settings")
django.setup(set_prefix=False)

from django.conf import settings

from apps.core.asgi import App, BodyLimit, Lifespan
from apps.core.handler import Handler
from apps.tts.runtime import Runtime

application = Lifespan(
    BodyLimit(cast(App, Handler()), max_bytes=settings.DATA_UPLOAD_MAX_MEMORY_SIZE),
    startup=Runtime.current,
    shutdown=Runtime.stop,
)
