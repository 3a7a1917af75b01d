from django.urls import path

from apps.contributions import api, organization_api, personal_api
from apps.contributions.releasing import api as releasing_api

_CAMPAIGN = "contributions/campaigns/<uuid:campaign_id>"
_RELEASES = "contributions/organization/campaigns/<uuid:campaign_id>/releases"
_CLIP = "contributions/clips/<uuid:clip_id>"
_HEARD = "contributions/listen/<uuid:clip_id>"

urlpatterns = [
    path("contributions/campaigns", api.CampaignsView.as_view(), name="api_contributions_campaigns"),
    path(_CAMPAIGN, api.CampaignView.as_view(), name="api_contributions_campaign"),
    path(
        f"{_CAMPAIGN}/consents",
        api.CampaignConsentsView.as_view(),
        name="api_contributions_campaign_consents",
    ),
    path(f"{_CAMPAIGN}/prompts", api.PromptsView.as_view(), name="api_contributions_prompts"),
    path(
        "contributions/prompts/<uuid:prompt_id>/reports",
        api.PromptReportsView.as_view(),
        name="api_contributions_prompt_reports",
    ),
    path("contributions/clips", api.ClipsView.as_view(), name="api_contributions_clips"),
    path(_CLIP, api.ClipView.as_view(), name="api_contributions_clip"),
    path(f"{_CLIP}/audio", api.ClipAudioView.as_view(), name="api_contributions_clip_audio"),
    path("contributions/listen", api.ListenView.as_view(), name="api_contributions_listen"),
    path(f"{_HEARD}/audio", api.ListenAudioView.as_view(), name="api_contributions_listen_audio"),
    path(f"{_HEARD}/votes", api.VotesView.as_view(), name="api_contributions_votes"),
    path(f"{_HEARD}/reports", api.ClipReportsView.as_view(), name="api_contributions_clip_reports"),
    path("contributions/profile", personal_api.ProfileView.as_view(), name="api_contributions_profile"),
    path("contributions/balance", personal_api.BalanceView.as_view(), name="api_contributions_balance"),
    path("contributions/earnings", personal_api.EarningsView.as_view(), name="api_contributions_earnings"),
    path("contributions/payouts", personal_api.PayoutsView.as_view(), name="api_contributions_payouts"),
    path("contributions/consents", personal_api.ConsentsView.as_view(), name="api_contributions_consents"),
    path(
        "contributions/consents/<uuid:consent_id>/withdraw",
        personal_api.WithdrawView.as_view(),
        name="api_contributions_withdraw",
    ),
    path("contributions/export", personal_api.ExportView.as_view(), name="api_contributions_export"),
    path("contributions/erase", personal_api.EraseView.as_view(), name="api_contributions_erase"),
    path(
        "contributions/organization/campaigns",
        organization_api.OwnedCampaignsView.as_view(),
        name="api_organization_campaigns",
    ),
    path(
        "contributions/organization/campaigns/<uuid:campaign_id>",
        organization_api.OwnedCampaignView.as_view(),
        name="api_organization_campaign",
    ),
    path(_RELEASES, releasing_api.ReleasesView.as_view(), name="api_organization_releases"),
    path(
        f"{_RELEASES}/<int:version>/links",
        releasing_api.ReleaseLinksView.as_view(),
        name="api_organization_release_links",
    ),
]
