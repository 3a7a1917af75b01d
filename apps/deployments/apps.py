from django.apps import AppConfig


class DeploymentsConfig(AppConfig):
    name = "apps.deployments"

    def ready(self) -> None:
        from apps.core import health
        from apps.deployments import services

        health.speech_status = services.speech_status
