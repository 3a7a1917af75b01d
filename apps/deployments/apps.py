from django.apps import AppConfig


class DeploymentsConfig(AppConfig):
    name = "apps.deployments"

    def ready(self) -> None:
        from apps.core import health, metrics
        from apps.deployments import costs, events, shared
        from apps.deployments.models import Deployment, Run

        events.register()
        health.speech_status = shared.speech_status
        metrics.tell_from_database(metrics.DEPLOYMENTS_ACTIVE, lambda: Deployment.objects.active().count())
        metrics.tell_from_database(metrics.COST_PER_HOUR_USD, lambda: costs.per_hour(Run.objects.all()))
