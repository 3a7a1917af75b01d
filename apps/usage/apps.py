from django.apps import AppConfig


class UsageConfig(AppConfig):
    name = "apps.usage"

    def ready(self) -> None:
        from apps.keys.authentication import address_rules
        from apps.usage.limits import require_organizations_address

        address_rules.append(require_organizations_address)
