from django.apps import AppConfig


class UsageConfig(AppConfig):
    name = "apps.usage"

    def ready(self) -> None:
        from apps.keys.authentication import address_rules
        from apps.usage import events
        from apps.usage.limits import require_organizations_address

        events.register()
        address_rules.append(require_organizations_address)
