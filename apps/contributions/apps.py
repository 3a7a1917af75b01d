from django.apps import AppConfig


class ContributionsConfig(AppConfig):
    name = "apps.contributions"
    verbose_name = "Voice collection"

    def ready(self) -> None:
        from apps.contributions import events

        events.register()
