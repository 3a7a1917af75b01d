"""A campaign of the demo's organization, so that /contribute has something to record from the first start."""

from __future__ import annotations

from typing import Final

from django.db import transaction

from apps.accounts.models import Organization
from apps.contributions import campaigns, consenting, sentences
from apps.contributions.models import Campaign, Purpose

NAME: Final = "Everyday English"
TEXTS: Final = {
    Purpose.TRAIN: "My recordings may be used to train and to test programs that recognise and make speech, "
    "by those who run this platform. I can withdraw at any time; what was trained before then stays.",
    Purpose.PUBLIC_DATASET: "My recordings, with their sentences and under a name that nobody can trace to "
    "me, may be published in a data set that everybody may use and share. I can withdraw at any time: later "
    "versions are without them, copies that others have made cannot be taken back.",
    Purpose.VOICE_CLONING: "From my recordings a synthetic voice may be made that sounds like me. It may say "
    "things that I never said. I can withdraw at any time: the voice then stops within a minute.",
}
SENTENCES: Final = (
    "The kettle began to sing before anyone was awake.",
    "Put the heavy books on the lowest shelf.",
    "A small boat crossed the harbour against the wind.",
    "She counted the stairs on her way up to the roof.",
    "Our neighbours grow tomatoes behind the garage.",
    "The bakery on the corner opens long before sunrise.",
    "Nobody could remember who had locked the gate.",
    "It took three of us to move the piano.",
    "The last bus leaves from the other side of the square.",
    "Warm bread and cold butter make a good breakfast.",
    "He wrote her number on the back of the ticket.",
    "Rain had washed the chalk from the pavement.",
    "They waited under the bridge until the storm was over.",
    "The children painted the fence in seven colours.",
    "Please leave the window open when you go to bed.",
    "An old clock stood in the hall and was always wrong.",
    "We followed the river as far as the second mill.",
    "Her brother repairs bicycles in a cellar full of wheels.",
    "There was more laughter than music at the wedding.",
    "Take the narrow path to the left of the chapel.",
)


@transaction.atomic
def ensure(organization: Organization) -> None:
    """Where the organization has no campaign yet: an open one, at a dollar a minute and payable at once."""
    if Campaign.objects.for_organization(organization).exists():
        return
    campaign = Campaign.objects.create(
        organization=organization,
        name=NAME,
        description="Twenty sentences of everyday life, to see how recording works. Nobody is really paid.",
        language="en",
        purposes=[Purpose.TRAIN, Purpose.PUBLIC_DATASET],
        optional_purposes=[Purpose.VOICE_CLONING],
        licence="CC-BY-4.0",
        clips_per_prompt=10,
        cents_per_minute=100,
        hold_days=0,
    )
    for purpose, text in TEXTS.items():
        consenting.publish_text(campaign=campaign, purpose=purpose, locale="en", text=text)
    sentences.import_prompts(campaign, SENTENCES)
    campaigns.open_campaign(campaign)
