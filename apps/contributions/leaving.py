"""Erasing a person, and their account where it was for nothing else."""

from __future__ import annotations

from django.db import transaction

from apps.accounts.models import Membership, User
from apps.contributions import withdrawing
from apps.contributions.models import CampaignInvitation, Contributor


def has_other_uses(user: User) -> bool:
    """Whether the account is of a customer or of staff, too."""
    return user.is_staff or Membership.objects.filter(user=user).exists()


@transaction.atomic
def erase(contributor: Contributor, user: User) -> bool:
    """Answers whether the account went too: it does where nothing but contributing was done with it."""
    withdrawing.erase(contributor)
    own_invitations = CampaignInvitation.objects.filter(email__iexact=user.email)
    if has_other_uses(user):
        own_invitations.filter(mailed_at=None).update(is_mail_wanted=False)
        return False
    own_invitations.delete()
    user.delete()
    return True
