"""Adding, describing, ending and suspending voices.

Each change of what may be spoken raises the organization's policy version, so that no speech process goes by
what it remembers; workers get no consent token from then on, and use no cached recording without one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import IO, Any

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from apps.accounts.models import Organization, User
from apps.accounts.services import bump_policy
from apps.core import media, notices
from apps.core.errors import Conflict, InvalidRequest, PermissionDenied
from apps.voices import consents, events, hooks, statements
from apps.voices.actors import Actor
from apps.voices.consents import CollectedConsent
from apps.voices.models import Voice, VoiceConsent
from apps.voices.recordings.checking import Reference, reference_of

REMOVE_FILES = "apps.voices.tasks.remove_files_of"
NOTICE_EXPIRES_SECONDS = 60
MAX_LABELS = 20
MAX_LANGUAGES = 20
MAX_LABEL_CHARACTERS = 80
_S = Voice.State


def add_voice(
    *,
    organization: Organization,
    name: str,
    recordings: Sequence[IO[bytes]],
    by: Actor,
    via: str,
    consent: bool = False,
    consent_version: str = "",
    description: str = "",
    labels: Mapping[str, str] | None = None,
    languages: Sequence[str] = (),
) -> Voice:
    """Clones a voice from recordings, which are joined. Takes 0.3 s and more.

    `via` is a `VoiceConsent.Via`: under `TERMS` the organization's acceptance stands for the statement, else
    `consent` and the version of the text are what this person agreed to.
    Raises `InvalidRequest`, `PayloadTooLarge`, `PermissionDenied` (`voice_limit_reached`, `consent_required`,
    `cloning_disabled`), `Conflict` (`voice_name_taken`) and `Unavailable`.
    """
    require_cloning()
    terms = consents.required_terms(organization) if via == VoiceConsent.Via.TERMS else None
    if terms is None:
        statements.require_agreed(statements.current_consent(), consent=consent, version=consent_version)
    told = {"name": _clean_name(name), **_clean_words(description, labels or {}, languages)}
    _refuse_if_full(organization)
    _refuse_if_taken(organization, told["name"])
    reference = reference_of(recordings)
    record = partial(consents.record_consent, by=by, via=via, terms=terms)
    return _added(organization, reference, record, created_by=by.person, told=told)


def add_collected_voice(
    *,
    organization: Organization,
    name: str,
    reference: Reference,
    agreed: CollectedConsent,
    created_by: User | None,
    languages: Sequence[str] = (),
) -> Voice:
    """A voice cloned from collected recordings, to which their speaker agreed in the collection.

    Raises `InvalidRequest`, `PermissionDenied` (`voice_limit_reached`, `cloning_disabled`), `Conflict`
    (`voice_name_taken`) and `Unavailable`.
    """
    require_cloning()
    told = {"name": _clean_name(name), **_clean_words("", {}, languages)}
    record = partial(consents.record_collected, agreed=agreed)
    return _added(organization, reference, record, created_by=created_by, told=told)


def require_cloning() -> None:
    """Raises `PermissionDenied` where the platform clones no voices."""
    if not settings.CONSENT_SECRET:
        raise PermissionDenied("Voices cannot be cloned on this platform.", code="cloning_disabled")


def describe_voice(
    *,
    voice: Voice,
    name: str | None = None,
    description: str | None = None,
    labels: Mapping[str, str] | None = None,
    languages: Sequence[str] | None = None,
) -> None:
    """Changes what is given of an organization's own voice. Raises `InvalidRequest` and `Conflict`."""
    _require_own(voice)
    new = {
        "name": voice.name if name is None else _clean_name(name),
        **_clean_words(
            voice.description if description is None else description,
            voice.labels if labels is None else labels,
            voice.languages if languages is None else languages,
        ),
    }
    organization = voice.organization
    assert organization is not None  # noqa: S101 - an own voice has one
    with transaction.atomic():
        _lock(organization)
        _refuse_if_taken(organization, new["name"], but=voice)
        if not Voice.objects.live().filter(pk=voice.pk).update(**new, updated_at=timezone.now()):
            raise _gone()
        bump_policy(organization_id=organization.pk)
    for field, value in new.items():
        setattr(voice, field, value)


def delete_voice(*, voice: Voice, by: Actor) -> None:
    """Ends it for good and removes its recording; its consent is withdrawn with it, and stays on record."""
    _require_own(voice)
    with transaction.atomic():
        if not Voice.objects.live().filter(pk=voice.pk).update(**_ended(_S.DELETED)):
            raise _gone()
        events.tell(events.DELETED, voice)
        _end(voice, by=by, reason="The voice was deleted.")
    voice.state, voice.preview_key = _S.DELETED, ""


def withdraw_consent(*, voice: Voice, by: Actor, reason: str = "") -> None:
    """Ends synthesis with the voice for good and removes its recording; the voice stays listed as withdrawn.

    Raises `Conflict` where it was withdrawn before.
    """
    _require_own(voice)
    open_states = Voice.objects.filter(pk=voice.pk, state__in=[_S.ACTIVE, _S.SUSPENDED])
    with transaction.atomic():
        if not open_states.update(**_ended(_S.WITHDRAWN)):
            raise Conflict("The consent to this voice was withdrawn before.", code="consent_withdrawn")
        _end(voice, by=by, reason=reason)
    voice.state, voice.preview_key = _S.WITHDRAWN, ""


def suspend_voice(*, voice: Voice, reason: str) -> None:
    """By staff, any voice: it cannot be spoken until that is lifted. Raises `InvalidRequest`, `Conflict`."""
    reason = " ".join(reason.split())
    if not reason:
        raise InvalidRequest("Say why the voice is suspended; its owner reads it.", param="reason")
    _switch(voice, of=_S.ACTIVE, to=_S.SUSPENDED, reason=reason[:500])


def unsuspend_voice(*, voice: Voice) -> None:
    _switch(voice, of=_S.SUSPENDED, to=_S.ACTIVE, reason="")


def set_preview(*, voice: Voice, mp3: bytes) -> None:
    """Keeps a clip of the voice; one that came too late, for a voice that is gone, is not kept."""
    key = voice.own_preview_key
    media.save(key, mp3)
    speakable = Voice.objects.filter(pk=voice.pk, state__in=[_S.ACTIVE, _S.SUSPENDED])
    if speakable.update(preview_key=key, preview_problem="", updated_at=timezone.now()):
        voice.preview_key = key
    else:
        media.delete(key)


def note_preview_problem(*, voice: Voice, problem: str) -> None:
    """Says why there is no clip; empty while there is nothing to say but that it was tried."""
    Voice.objects.filter(pk=voice.pk, preview_key="").update(
        preview_problem=problem[:200], updated_at=timezone.now()
    )


def ask_for_preview(voice: Voice) -> None:
    if hooks.make_preview is not None:
        hooks.make_preview(voice.pk)


def _added(
    organization: Organization,
    reference: Reference,
    record: Callable[[Voice], VoiceConsent],
    *,
    created_by: User | None,
    told: Mapping[str, Any],
) -> Voice:
    """`record` writes down who agreed to it."""
    with transaction.atomic():
        _lock(organization)
        _refuse_if_full(organization)
        _refuse_if_taken(organization, told["name"])
        voice = _created(organization, reference, created_by=created_by, **told)
        record(voice)
        bump_policy(organization_id=organization.pk)
        events.tell(events.CREATED, voice)
        transaction.on_commit(partial(ask_for_preview, voice))
        # Last, so that nothing is kept of a voice that is not written after all; and under the lock, so that
        # nobody removes it as the recording of a voice that has just gone.
        media.save(voice.reference_key, reference.wav)
    return voice


def _created(
    organization: Organization, reference: Reference, *, created_by: User | None, **told: Any
) -> Voice:
    voice: Voice = Voice.objects.create(
        organization=organization,
        category=Voice.Category.CLONED,
        reference_sha256=reference.sha256,
        reference_bytes=len(reference.wav),
        reference_seconds=reference.duration_seconds,
        reference_sample_rate=reference.sample_rate,
        created_by=created_by,
        **told,
    )
    return voice


def _ended(state: Voice.State) -> dict[str, Any]:
    return {"state": state, "preview_key": "", "updated_at": timezone.now()}


def _end(voice: Voice, *, by: Actor, reason: str) -> None:
    if consents.end_consent(voice, by=by, reason=reason):
        events.tell(events.CONSENT_WITHDRAWN, voice, reason=reason)
    assert voice.organization_id is not None  # noqa: S101 - an own voice has one
    bump_policy(organization_id=voice.organization_id)
    transaction.on_commit(
        partial(notices.send, REMOVE_FILES, str(voice.pk), expires_seconds=NOTICE_EXPIRES_SECONDS)
    )


def _switch(voice: Voice, *, of: Voice.State, to: Voice.State, reason: str) -> None:
    with transaction.atomic():
        changed = Voice.objects.filter(pk=voice.pk, state=of).update(
            state=to, suspended_reason=reason, updated_at=timezone.now()
        )
        if not changed:
            raise Conflict(f"The voice is not {of.label.lower()}.")
        if voice.organization_id is not None:
            bump_policy(organization_id=voice.organization_id)
        kind = events.SUSPENDED if to == _S.SUSPENDED else events.UNSUSPENDED
        events.tell(kind, voice, reason=reason)
    voice.state, voice.suspended_reason = to, reason


def _lock(organization: Organization) -> None:
    """One change of an organization's voices at a time; requests that are being counted do not wait."""
    Organization.objects.select_for_update(no_key=True).only("pk").get(pk=organization.pk)


def _require_own(voice: Voice) -> None:
    if not voice.is_cloned:
        raise PermissionDenied("This is a voice of the platform.", code="platform_voice")


def _refuse_if_full(organization: Organization) -> None:
    limit = settings.LIMIT_VOICES
    if Voice.objects.for_organization(organization).cloned().live().count() >= limit:
        raise PermissionDenied(
            f"Your organization may have {limit} voices. Delete one first.", code="voice_limit_reached"
        )


def _refuse_if_taken(organization: Organization, name: str, *, but: Voice | None = None) -> None:
    """Nor may it be called as one of the platform's, which requests name the same way."""
    own = Q(organization=organization, category=Voice.Category.CLONED, name__iexact=name)
    of_engines = Q(organization=None) | Q(organization=organization)
    premade = of_engines & Q(category=Voice.Category.PREMADE, engine_voice__iexact=name)
    if Voice.objects.live().filter(own | premade).exclude(pk=but.pk if but else None).exists():
        raise Conflict(f"There is a voice called {name}.", code="voice_name_taken", param="name")


def _gone() -> Conflict:
    return Conflict("This voice was deleted.", code="voice_deleted")


def _clean_name(name: str) -> str:
    name = " ".join(name.split())
    if not name or len(name) > 80 or not name.isprintable():
        raise InvalidRequest("A voice needs a name of 1 to 80 characters.", param="name")
    return name


def _clean_words(description: str, labels: Mapping[str, str], languages: Sequence[str]) -> dict[str, Any]:
    description = description.strip()
    if len(description) > 500:
        raise InvalidRequest("A description has at most 500 characters.", param="description")
    if len(labels) > MAX_LABELS or not all(map(_is_label, (*labels, *labels.values()))):
        raise InvalidRequest(
            f"Labels are at most {MAX_LABELS} words by word, of {MAX_LABEL_CHARACTERS} characters at most.",
            param="labels",
        )
    if len(languages) > MAX_LANGUAGES or not all(0 < len(language) <= 35 for language in languages):
        raise InvalidRequest("Languages are tags such as en or en-GB.", param="languages")
    return {
        "description": description,
        "labels": dict(labels),
        "languages": list(dict.fromkeys(languages)),
    }


def _is_label(word: object) -> bool:
    return isinstance(word, str) and 0 < len(word) <= MAX_LABEL_CHARACTERS and word.isprintable()
