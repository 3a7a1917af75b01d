from uuid import UUID

from django.apps import AppConfig

from apps.core import notices


class TtsConfig(AppConfig):
    name = "apps.tts"

    def ready(self) -> None:
        from apps.tts.jobs import telling
        from apps.voices import hooks

        telling.register()
        hooks.make_preview = _make_preview
        hooks.forget_reference = _forget_reference


def _make_preview(voice_id: UUID) -> None:
    notices.send("apps.tts.tasks.make_preview", str(voice_id), expires_seconds=60)


def _forget_reference(organization_id: UUID, sha256: str) -> None:
    notices.send("apps.tts.tasks.forget_reference", str(organization_id), sha256, expires_seconds=3600)
