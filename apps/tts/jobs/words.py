"""What people are told of a job that waits or failed: why, and what they can do."""

from __future__ import annotations

from typing import Final

from apps.tts.jobs.models import SpeechJob

_STAGES: Final = {
    "queued": "It begins in a moment.",
    "splitting": "Its text is being cut between sentences.",
    "speaking": "It is being spoken.",
    "assembling": "Its parts are being joined.",
    "waiting": "It waits.",
}
_WAITING: Final = {
    "rate_limit_exceeded": "Other requests of your organization go first: it is at its limit a minute.",
    "too_many_concurrent_requests": "Other requests of your organization go first: so many may run at once.",
    "system_busy": "Every worker that can speak this is busy. It goes on as soon as one is free.",
    "speech_unavailable": "Nobody can speak it right now. It goes on as soon as a worker is ready.",
    "no_worker_ready": "No worker is ready yet. It goes on as soon as one is.",
    "deployment_asleep": "What speaks it was asleep and is being woken.",
    "storage_unavailable": "The storage of files does not answer. It goes on when it does.",
    "settlement_pending": "A part was interrupted and is about to be made anew.",
}
_ANY_WAIT: Final = "Something is away for a moment. It goes on by itself; nothing is made or charged twice."
_REMEDIES: Final = {
    "quota_exceeded": "Raise the limit or wait for the next month, then resume it: what is made stays made.",
    "invalid_api_key": "Start it again with another key, or from here: a job stops with its key.",
    "organization_suspended": "When the suspension is lifted, resume it.",
    "voice_not_found": "Bring the voice back and resume it, or start it again with another voice.",
    "model_not_found": "Deploy the model again and resume it, or start it again with another one.",
    "consent_withdrawn": "Nothing more can be spoken with this voice. Start it again with another one.",
    "voice_suspended": "When the suspension of the voice is lifted, resume it.",
    "voice_not_allowed": "Allow the voice for this key and resume it, or start it again with another voice.",
    "cannot_speak": "Choose a voice that speaks the language of the text, and start it again.",
    "budget_exhausted": "Raise the budget or wait for the next month, start the deployment, then resume it.",
    "no_deployment_for_model": "Deploy something that speaks this, then resume it.",
}
_ANY_REMEDY: Final = "Resume it: it goes on from where it was, and what is made stays made."


def stage(job: SpeechJob) -> str:
    return _STAGES[job.stage] if job.is_active else ""


def why_it_waits(code: str) -> str:
    return _WAITING.get(code, _ANY_WAIT)


def what_to_do(code: str) -> str:
    return _REMEDIES.get(code, _ANY_REMEDY)
