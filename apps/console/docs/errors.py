"""Every code that an API of ours answers with: what it means and what to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Said:
    status: int
    code: str
    says: str


@dataclass(frozen=True)
class Group:
    title: str
    errors: tuple[Said, ...]


GROUPS: Final = (
    Group(
        "Who you are",
        (
            Said(401, "missing_api_key", "The request carries no key. Send it in the header of its API."),
            Said(401, "invalid_api_key", "Unknown, expired, revoked, or not whole. Check it in Keys."),
            Said(401, "not_signed_in", "The page's session has ended. Sign in again."),
            Said(
                403,
                "missing_scope",
                "The key is good and may not do this; X-Required-Scope names what it lacks.",
            ),
            Said(403, "permission_denied", "Your role does not allow it. Ask an owner or an admin."),
            Said(
                403, "organization_suspended", "The organization is suspended. Write to the platform's staff."
            ),
            Said(403, "address_not_allowed", "The key, or the organization, lists other network addresses."),
            Said(403, "csrf_failed", "The form is too old. Load the page again."),
        ),
    ),
    Group(
        "What you asked",
        (
            Said(400, "invalid_request", "A field is wrong; param names it, the message says how."),
            Said(400, "invalid_json", "The body is not JSON."),
            Said(400, "text_too_long", "More characters than one request may have. Long texts are jobs."),
            Said(404, "model_not_found", "There is no such model. The message lists those there are."),
            Said(404, "voice_not_found", "There is no such voice. The message lists those there are."),
            Said(404, "not_found", "Nothing of that id is yours."),
            Said(405, "method_not_allowed", "This path takes another method."),
            Said(408, "request_timeout", "The rest of the body did not come."),
            Said(413, "payload_too_large", "The body is larger than this path takes."),
            Said(415, "unsupported_media_type", "Send JSON, with Content-Type: application/json."),
            Said(422, "cannot_speak", "The text holds nothing that this voice has sounds for."),
            Said(400, "model_lacks_feature", "The model cannot do this, such as speak with a cloned voice."),
            Said(404, "unknown_url", "There is no such operation. The message lists those there are."),
            Said(409, "conflict", "What is there already does not allow it; the message says what."),
        ),
    ),
    Group(
        "Sending again",
        (
            Said(400, "invalid_idempotency_key", "It has 1 to 255 printable characters."),
            Said(409, "idempotency_mismatch", "The same key came with another request. Use a new key."),
            Said(
                409, "idempotency_in_progress", "The first request is still running. Come back in a moment."
            ),
            Said(
                409,
                "idempotency_answer_too_large",
                "It was answered, with more than is kept; take a new key.",
            ),
            Said(409, "idempotency_answer_lost", "It was answered, and the answer is no longer there."),
        ),
    ),
    Group(
        "Voices",
        (
            Said(403, "voice_not_allowed", "The key, or the organization, may use other voices only."),
            Said(403, "voice_not_available_in_test", "Test keys reach the platform's own voices only."),
            Said(403, "voice_suspended", "The platform's staff have suspended this voice."),
            Said(
                403, "consent_withdrawn", "Whose voice it is has withdrawn the consent. It is over for good."
            ),
            Said(403, "consent_required", "Agree to the statement first; the message says where."),
            Said(
                400, "consent_version_outdated", "The statement has changed. Read it, and send its version."
            ),
            Said(403, "cloning_disabled", "This platform does not clone voices."),
            Said(403, "voice_limit_reached", "Your organization has as many voices as it may. Delete one."),
            Said(403, "platform_voice", "It is the platform's, not yours to change."),
            Said(409, "voice_name_taken", "Another voice has this name."),
            Said(409, "voice_deleted", "It was deleted."),
            Said(400, "recording_missing", "Send the recording as file."),
            Said(400, "too_many_files", "Send fewer recordings at once."),
            Said(413, "recording_too_large", "A recording has 20 MB at most."),
            Said(400, "invalid_multipart", "The body is no valid form."),
        ),
    ),
    Group(
        "Jobs",
        (
            Said(429, "too_many_jobs", "As many are queued or running as may be. Wait, or cancel one."),
            Said(409, "job_not_completed", "There is no audio of it yet; its state says why."),
            Said(404, "result_expired", "Its file was kept as long as files are kept."),
            Said(500, "audio_lost", "A part's audio is gone from the storage. Resume the job."),
        ),
    ),
    Group(
        "Deployments",
        (
            Said(
                402,
                "budget_exhausted",
                "The budget for deployments is used up this month; x-should-retry is false. Raise it.",
            ),
            Said(409, "name_taken", "Another deployment of yours has this name."),
            Said(409, "too_many_deployments", "As many run as may at once. Stop or delete one first."),
            Said(
                409,
                "illegal_transition",
                "Its present state does not allow it; the message says which that is.",
            ),
            Said(409, "state_changed", "Somebody else changed it at the same moment. Look again."),
            Said(409, "deleted", "It was deleted, and is being taken down."),
        ),
    ),
    Group(
        "Webhooks",
        (
            Said(409, "endpoint_disabled", "The endpoint is disabled. Enable it, then send."),
            Said(409, "being_sent", "It is being sent right now. Look again in a moment."),
            Said(409, "not_waiting", "There is nothing to cancel: it was received, or given up."),
            Said(400, "invalid_signature", "A webhook that was sent to us is not signed as it should be."),
        ),
    ),
    Group(
        "Voice collection",
        (
            Said(403, "suspended", "This contributor may not record or vote at the moment."),
            Said(409, "consent_changed", "A text has changed since it was shown. Read it again."),
            Said(409, "campaign_closed", "The campaign takes no recordings at the moment."),
            Said(409, "campaign_incomplete", "The campaign lacks what it needs to be opened."),
            Said(409, "nothing_wanted", "The campaign has all it wants of this voice, or can pay for."),
            Said(409, "already_recorded", "You have recorded this sentence. Delete that one first."),
            Said(409, "duplicate_recording", "This very file was sent before."),
            Said(409, "too_many_clips", "Many recordings came within an hour. Come back later."),
            Said(400, "empty_recording", "The file holds nothing. Record it again."),
            Said(409, "clip_deleted", "The recording was deleted before."),
            Said(409, "clip_decided", "It is decided by now: there is nothing to judge."),
            Said(409, "clip_undecided", "Nothing was decided about it, so there is nothing to undo."),
            Said(409, "clip_unchecked", "It has not been checked yet."),
            Said(409, "clip_gone", "Its audio is gone."),
            Said(409, "clip_replaced", "The sentence was recorded again meanwhile."),
            Said(403, "own_clip", "Nobody judges a recording of their own."),
            Said(409, "nothing_to_undo", "You decided nothing lately that could be undone."),
            Said(409, "clips_changed", "Recordings changed meanwhile. Look again."),
            Said(409, "too_little_speech", "A speaker's accepted recordings are too short for a voice."),
            Said(409, "voice_made", "There is a voice of this speaker already."),
            Said(409, "nothing_to_release", "No recording can be released yet."),
            Said(409, "release_in_work", "A release of this campaign is being made."),
            Said(409, "release_not_failed", "The release did not fail: there is nothing to resume."),
            Said(409, "release_not_ready", "The release is not made yet."),
            Said(409, "release_outdated", "There is a newer version of it."),
            Said(409, "release_withdrawn", "Recordings in it were withdrawn: take the next version."),
        ),
    ),
    Group(
        "ElevenLabs' own",
        (
            Said(422, "validation_error", "The body has the wrong shape; detail lists where."),
            Said(400, "empty_text", "The text is empty."),
            Said(400, "invalid_voice_settings", "A dial is out of its range."),
            Said(400, "invalid_output_format", "There is no such format. The message lists them."),
        ),
    ),
    Group(
        "Limits",
        (
            Said(429, "rate_limit_exceeded", "Too many requests a minute. Wait as long as Retry-After says."),
            Said(429, "too_many_concurrent_requests", "Too many at once. Wait until one of yours has ended."),
            Said(429, "quota_exceeded", "This month's characters are used up; x-should-retry is false."),
        ),
    ),
    Group(
        "Ours",
        (
            Said(502, "speech_failed", "The speech worker failed. Nothing was charged; try again."),
            Said(503, "no_worker_ready", "Speech is starting. Come back as Retry-After says."),
            Said(503, "speech_unavailable", "The voice is known and nobody is ready to speak it."),
            Said(
                503,
                "deployment_asleep",
                "A sleeping deployment was woken by this request; Retry-After says how long that takes.",
            ),
            Said(
                503,
                "system_busy",
                "Everybody is busy and the queue is full; Retry-After says when to come back.",
            ),
            Said(
                503,
                "no_deployment_for_model",
                "Only the shared pool has this model, and your plan has no part in it.",
            ),
            Said(503, "database_away", "The database is away. Nothing was charged."),
            Said(503, "admission_away", "Test keys cannot be admitted right now."),
            Said(503, "storage_unavailable", "The storage of files is away. Try again in a moment."),
            Said(503, "unavailable", "A part of the platform is away. Try again in a moment."),
            Said(503, "speech_needs_asgi", "This server does not serve speech; its address is wrong."),
            Said(500, "internal_error", "A fault of ours. Tell us the request id."),
        ),
    ),
)
