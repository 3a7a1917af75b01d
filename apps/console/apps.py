from django.apps import AppConfig
from django.conf import settings


class ConsoleConfig(AppConfig):
    name = "apps.console"

    def ready(self) -> None:
        from apps.console import demo_file
        from apps.core import health

        # apps.deployments is ready by now: it comes first in INSTALLED_APPS.
        if health.speech_status is not None and not settings.IS_PRODUCTION:
            health.speech_status = demo_file.keeping_worker_url(health.speech_status)
