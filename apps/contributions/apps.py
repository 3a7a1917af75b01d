from django.apps import AppConfig


class ContributionsConfig(AppConfig):
    name = "apps.contributions"
    verbose_name = "Voice collection"

    def ready(self) -> None:
        from apps.contributions import events, hooks, voicing
        from apps.contributions.releasing import keeping

        events.register()
        hooks.on_withdrawal.append(voicing.stop_voices)
        hooks.on_carrying_out.append(keeping.forget)
