from django.apps import AppConfig


class VoicesConfig(AppConfig):
    name = "apps.voices"

    def ready(self) -> None:
        from apps.voices import events

        events.register()
