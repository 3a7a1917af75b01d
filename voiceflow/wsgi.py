"""The WSGI door: console, admin and management API in production."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "voiceflow.settings")

from django.core.wsgi import get_wsgi_application

application = get_wsgi_application()
