"""The room's pages of admin; each module registers its own."""

from apps.deployments.admin import costs, deployments, orphans, provider_keys, workers

__all__ = ["costs", "deployments", "orphans", "provider_keys", "workers"]
