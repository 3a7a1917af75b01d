from django.urls import path

from apps.contributions import personal_views, views

urlpatterns = [
    path("contribute", views.home, name="contribute"),
    path("contribute/campaigns/<uuid:campaign_id>", views.campaign_detail, name="contribute_campaign"),
    path("contribute/campaigns/<uuid:campaign_id>/consent", views.consent, name="contribute_consent"),
    path("contribute/campaigns/<uuid:campaign_id>/record", views.record, name="contribute_record"),
    path("contribute/listen", views.listen, name="contribute_listen"),
    path("contribute/clips", views.clip_list, name="contribute_clips"),
    path("contribute/clips/<uuid:clip_id>", views.clip_detail, name="contribute_clip"),
    path("contribute/clips/<uuid:clip_id>/audio", views.clip_audio, name="contribute_clip_audio"),
    path("contribute/clips/<uuid:clip_id>/delete", views.clip_delete, name="contribute_clip_delete"),
    path("contribute/earnings", personal_views.earnings, name="contribute_earnings"),
    path("contribute/you", personal_views.you, name="contribute_you"),
    path("contribute/you/profile", personal_views.profile_update, name="contribute_profile_update"),
    path("contribute/you/payouts", personal_views.payout_update, name="contribute_payout_update"),
    path("contribute/data", personal_views.data, name="contribute_data"),
    path("contribute/data/export", personal_views.export, name="contribute_export"),
    path("contribute/data/erase", personal_views.erase, name="contribute_erase"),
    path(
        "contribute/data/consents/<uuid:consent_id>/withdraw",
        personal_views.consent_withdraw,
        name="contribute_withdraw",
    ),
]
