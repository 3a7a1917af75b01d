from apps.contributions.models.campaigns import (
    Campaign,
    CampaignInvitation,
    ConsentText,
    Prompt,
    PromptReport,
    Purpose,
)
from apps.contributions.models.clips import Clip, ClipPrint, ClipReport, Decision, Vote
from apps.contributions.models.money import Account, Entry, Payout, PayoutBatch, Posting
from apps.contributions.models.people import ConsentRecord, ConsentWithdrawal, Contributor
from apps.contributions.models.releases import Release, ReleasedClip
from apps.contributions.models.voicing import VoiceFromCollection

__all__ = [
    "Account",
    "Campaign",
    "CampaignInvitation",
    "Clip",
    "ClipPrint",
    "ClipReport",
    "ConsentRecord",
    "ConsentText",
    "ConsentWithdrawal",
    "Contributor",
    "Decision",
    "Entry",
    "Payout",
    "PayoutBatch",
    "Posting",
    "Prompt",
    "PromptReport",
    "Purpose",
    "Release",
    "ReleasedClip",
    "VoiceFromCollection",
    "Vote",
]
