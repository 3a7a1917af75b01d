"""The room's pages of admin; each module registers its own."""

from apps.webhooks.admin import deliveries, endpoints

__all__ = ["deliveries", "endpoints"]
