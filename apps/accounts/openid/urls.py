"""/accounts/openid/login/ and /accounts/openid/login/callback/."""

from __future__ import annotations

from allauth.socialaccount.providers.oauth2.urls import default_urlpatterns

from .provider import OpenIDProvider

urlpatterns = default_urlpatterns(OpenIDProvider)
