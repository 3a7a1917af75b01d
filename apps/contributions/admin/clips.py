"""Clips for staff: found, heard, accepted and rejected; the page for reviewing many is in review.py."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import URLPattern, path, reverse
from django.utils.text import Truncator
from unfold.contrib.filters.admin import AutocompleteSelectFilter, RangeDateTimeFilter
from unfold.contrib.filters.admin.dropdown_filters import DropdownFilter
from unfold.decorators import action, display
from unfold.enums import ActionVariant

from apps.accounts.admin import ReadOnlyAdmin
from apps.contributions import deciding, review_queue
from apps.contributions.admin import hearing, review
from apps.contributions.admin.base import do_each, page, redirected, staff_of
from apps.contributions.admin.campaign_forms import ReasonForm
from apps.contributions.amounts import in_time, in_usd
from apps.contributions.models import Clip, ClipReport, Decision
from apps.contributions.quality import Verdict

STATE_COLOURS = {
    "Uploaded": "info",
    "Being checked": "info",
    "Accepted": "success",
    "In review": "warning",
    "Rejected": "danger",
    "Withdrawn": "info",
}
AT_ONCE = 200


class MeasureFilter(DropdownFilter):
    title = "measure"
    parameter_name = "measure"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(name, name.replace("_", " ").capitalize()) for name in review_queue.MEASURES]

    def queryset(self, request: HttpRequest, clips: QuerySet[Any]) -> QuerySet[Any]:
        """With a verdict it is the verdict on this measure, else that it is not good."""
        name, verdict = self.value(), request.GET.get("verdict")
        if name not in review_queue.MEASURES:
            return clips
        if verdict in list(Verdict):
            return review_queue.with_measure(clips, str(name), str(verdict))
        review = Q(report__contains=[{"name": name, "verdict": Verdict.REVIEW}])
        return clips.filter(review | Q(report__contains=[{"name": name, "verdict": Verdict.REJECT}]))


class VerdictFilter(DropdownFilter):
    title = "verdict"
    parameter_name = "verdict"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(verdict.value, verdict.value.capitalize()) for verdict in Verdict]

    def queryset(self, request: HttpRequest, clips: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() not in list(Verdict) or request.GET.get("measure"):
            return clips
        return review_queue.with_measure(clips, "", str(self.value()))


class ReportedFilter(admin.SimpleListFilter):
    title = "reported"
    parameter_name = "reported"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "By a listener")]

    def queryset(self, request: HttpRequest, clips: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() != "yes":
            return clips
        return clips.filter(Exists(ClipReport.objects.filter(clip=OuterRef("pk"))))


@admin.register(Clip)
class ClipAdmin(ReadOnlyAdmin):
    list_display = [
        *("created_at", "shown_state", "sentence", "speaker", "speech", "earned"),
        *("voted", "shown_reason", "campaign"),
    ]
    list_display_links = ["created_at"]
    list_filter = [
        "state",
        ("campaign", AutocompleteSelectFilter),
        ("contributor", AutocompleteSelectFilter),
        MeasureFilter,
        VerdictFilter,
        ReportedFilter,
        ("created_at", RangeDateTimeFilter),
    ]
    list_filter_submit = True
    list_select_related = ["campaign", "prompt", "contributor"]
    list_fullwidth = True
    list_per_page = 50
    show_full_result_count = False
    search_fields = ["prompt__text", "transcript", "=id", "=contributor__id", "=original_sha256"]
    search_help_text = "Words of the sentence or the transcript; an id of a clip or a speaker"
    ordering = ["-id"]
    actions = ["accept", "reject", "undo"]
    actions_list = ["review"]
    actions_detail = ["review_this"]
    fieldsets = [
        (None, {"fields": ["shown_state", "campaign", "prompt", "contributor", "reason", "audio"]}),
        ("Report", {"fields": ["known"]}),
        (
            "Details",
            {
                "fields": [
                    *("id", "round", "created_at", "decided_at", "length", "speech", "earned"),
                    *("cents_per_minute", "original_sha256", "original_bytes", "agreed", "files_gone_at"),
                ],
                "classes": ["tab"],
            },
        ),
    ]

    def get_urls(self) -> list[URLPattern]:
        views = [
            ("<uuid:clip_id>/audio.flac", "audio", hearing.hear),
            ("<uuid:clip_id>/original", "original", hearing.fetch_original),
            ("<uuid:clip_id>/waveform.svg", "waveform", hearing.see_waveform),
            ("<uuid:clip_id>/spectrogram.png", "spectrogram", hearing.see_spectrogram),
            ("review/next", "review_next", review.next_part),
            ("review/undo", "review_undo", review.undo_part),
            ("review/<uuid:clip_id>/decide", "review_decide", review.decide_part),
            ("review/queue/", "review_queue", review.review_page),
        ]
        own = [
            path(
                route,
                self.admin_site.admin_view(view),
                {"model_admin": self},
                name=f"contributions_clip_{name}",
            )
            for route, name, view in views
        ]
        return [*own, *super().get_urls()]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Clip]:
        of_round = Q(votes__round=F("round"))
        found: QuerySet[Clip] = super().get_queryset(request)
        return found.defer("fingerprint", "voice").annotate(
            ups=Count("votes", filter=of_round & Q(votes__is_valid=True)),
            downs=Count("votes", filter=of_round & Q(votes__is_valid=False)),
        )

    def has_decide_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("contributions.change_clip")

    @display(description="State", ordering="state", label=STATE_COLOURS)
    def shown_state(self, clip: Clip) -> str:
        return str(clip.get_state_display())

    @display(description="Sentence", ordering="prompt__text")
    def sentence(self, clip: Clip) -> str:
        return Truncator(clip.prompt.text).chars(40)

    @display(description="Speaker")
    def speaker(self, clip: Clip) -> str:
        return str(clip.contributor)

    @display(description="Length", ordering="duration_ms")
    def length(self, clip: Clip) -> str:
        return in_time(clip.duration_ms)

    @display(description="Speech", ordering="speech_ms")
    def speech(self, clip: Clip) -> str:
        return in_time(clip.speech_ms)

    @display(description="Worth")
    def earned(self, clip: Clip) -> str:
        return in_usd(clip.earned_cents)

    @display(description="Votes")
    def voted(self, clip: Any) -> str:
        return f"{clip.ups} for, {clip.downs} against" if clip.ups or clip.downs else "–"

    @display(description="Reason")
    def shown_reason(self, clip: Clip) -> str:
        return Truncator(clip.reason).chars(40) or "–"

    @display(description="Recording")
    def audio(self, clip: Clip) -> str:
        return render_to_string("admin/contributions/audio.html", {"clip": clip})

    @display(description="What is known")
    def known(self, clip: Clip) -> str:
        return render_to_string(
            "admin/contributions/known.html", {"clip": clip} | review_queue.known_of(clip)
        )

    @display(description="Consents")
    def agreed(self, clip: Clip) -> str:
        return ", ".join(str(consent) for consent in clip.consents.all()) or "–"

    @action(description="Review clips", icon="headphones", variant=ActionVariant.PRIMARY)
    def review(self, request: HttpRequest) -> HttpResponse:
        return redirected(request, reverse("admin:contributions_clip_review_queue"))

    @action(description="Review", icon="headphones", variant=ActionVariant.PRIMARY)
    def review_this(self, request: HttpRequest, object_id: str) -> HttpResponse:
        target = reverse("admin:contributions_clip_review_queue")
        return redirected(request, f"{target}?clip={object_id}")

    @admin.action(description="Accept", permissions=["decide"])
    def accept(self, request: HttpRequest, chosen: QuerySet[Clip]) -> HttpResponse | None:
        return self._decide_all(request, chosen, Clip.State.ACCEPTED)

    @admin.action(description="Reject, with a reason", permissions=["decide"])
    def reject(self, request: HttpRequest, chosen: QuerySet[Clip]) -> HttpResponse | None:
        return self._decide_all(request, chosen, Clip.State.REJECTED)

    @admin.action(description="Undo what was decided, with a reason", permissions=["decide"])
    def undo(self, request: HttpRequest, chosen: QuerySet[Clip]) -> HttpResponse | None:
        return self._decide_all(request, chosen, Clip.State.IN_REVIEW)

    def _decide_all(
        self, request: HttpRequest, chosen: QuerySet[Clip], to: Clip.State
    ) -> HttpResponse | None:
        """Asks for the reason first; then each clip by itself."""
        clips = list(chosen.order_by("id")[: AT_ONCE + 1])
        if len(clips) > AT_ONCE:
            self.message_user(request, f"Choose at most {AT_ONCE} clips at once.", messages.ERROR)
            return None
        form = ReasonForm(request.POST if "reason" in request.POST else None)
        form.fields["reason"].required = to != Clip.State.ACCEPTED
        if not form.is_valid():
            verb = {Clip.State.ACCEPTED: "Accept", Clip.State.REJECTED: "Reject"}.get(to, "Undo")
            return page(
                request,
                "reason",
                f"{verb} {len(clips)} clip{'' if len(clips) == 1 else 's'}",
                clips=clips,
                form=form,
                opts=Clip._meta,
                verb=verb,
                action=request.POST.get("action", ""),
                reasons=review_queue.REASONS if to == Clip.State.REJECTED else (),
            )
        reason, by = form.cleaned_data["reason"], staff_of(request)

        def act(clip: Clip) -> None:
            if to == Clip.State.IN_REVIEW:
                deciding.take_back(clip, by=by, reason=reason)
            else:
                deciding.decide(clip, to=to, source=Decision.Source.STAFF, reason=reason, by=by)

        done = "taken back" if to == Clip.State.IN_REVIEW else str(to.label).lower()
        do_each(self, request, clips, act, f"{done.capitalize()}{f': {reason}' if reason else '.'}")
        return None
