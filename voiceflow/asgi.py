"""The ASGI door: everything under `make run`, the speech API in production."""

import os
from typing import cast

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "voiceflow.settings")
django.setup(set_prefix=False)

from django.conf import settings

from apps.core.asgi import App, BodyLimit, Lifespan
from apps.core.handler import Handler
from apps.tts.asgi import SpeechDoor
from apps.tts.routes import refusal_body
from apps.tts.runtime import Runtime

MAX_BODY_BYTES = settings.DATA_UPLOAD_MAX_MEMORY_SIZE

application: App = BodyLimit(
    cast(App, Handler()), max_bytes=MAX_BODY_BYTES, larger=settings.LARGER_BODIES, body_of=refusal_body
)
if settings.SPEECH_LEAN_DOOR:
    application = SpeechDoor(application, max_body_bytes=MAX_BODY_BYTES)
application = Lifespan(application, startup=Runtime.current, shutdown=Runtime.stop)
