from django.apps import AppConfig


class KeysConfig(AppConfig):
    name = "apps.keys"
    verbose_name = "API keys"

    def ready(self) -> None:
        from apps.core import metrics
        from apps.keys import events
        from apps.keys.models import ApiKey

        events.register()
        metrics.tell_from_database(metrics.API_KEYS_ACTIVE, lambda: ApiKey.objects.usable().count())
