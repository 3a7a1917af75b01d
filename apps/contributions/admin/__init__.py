"""The room's pages of admin; each module registers its own."""

from apps.contributions.admin import batches, campaigns, clips, contributors, money, texts
from apps.contributions.releasing import admin as releases

__all__ = ["batches", "campaigns", "clips", "contributors", "money", "releases", "texts"]
