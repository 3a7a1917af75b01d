"""Everything that causes an event, by the services of the rooms themselves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from apps.accounts.models import Organization, User
from apps.contributions import deciding, ledger, payouts, people
from apps.contributions.models import Clip, Decision
from apps.deployments import budgets
from apps.deployments import services as deploying
from apps.deployments.models import Run
from apps.deployments.states import TRANSITIONS, State
from apps.keys.services import issue_key, revoke_key, rotate_key
from apps.usage.services import set_limits
from apps.usage.tasks import roll_up
from apps.voices import services as voicing
from apps.webhooks import health
from apps.webhooks.models import Endpoint
from tests.contributions import collecting
from tests.deployments.tables import deployment
from tests.tts.jobs.customer import Customer, work_off
from tests.usage.rows import record
from tests.voices.recordings import actor, clone
from tests.webhooks.rows import endpoint

# The clock stands still there: what is spent is a matter of time.
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
Act = Callable[[], Any]


@dataclass(frozen=True)
class Cause:
    """`prepare` answers what causes these events and no other one; `moment` is when that is done."""

    events: tuple[str, ...]
    prepare: Callable[[Organization, User], Act]
    moment: datetime = NOW

    @property
    def name(self) -> str:
        return "+".join(self.events)


def _key(acme: Organization) -> Any:
    return issue_key(organization=acme, name="n", mode="live", scopes=["speech"], created_by=None).key


def _create_key(acme: Organization, alice: User) -> Act:
    return lambda: _key(acme)


def _rotate_key(acme: Organization, alice: User) -> Act:
    key = _key(acme)
    return lambda: rotate_key(key=key, overlap_seconds=60, by=alice)


def _revoke_key(acme: Organization, alice: User) -> Act:
    key = _key(acme)
    return lambda: revoke_key(key=key, by=alice)


def _create_voice(acme: Organization, alice: User) -> Act:
    return lambda: clone(acme, alice)


def _suspend_voice(acme: Organization, alice: User) -> Act:
    voice = clone(acme, alice)
    return lambda: voicing.suspend_voice(voice=voice, reason="A complaint.")


def _unsuspend_voice(acme: Organization, alice: User) -> Act:
    voice = clone(acme, alice)
    voicing.suspend_voice(voice=voice, reason="A complaint.")
    return lambda: voicing.unsuspend_voice(voice=voice)


def _withdraw_consent(acme: Organization, alice: User) -> Act:
    voice = clone(acme, alice)
    return lambda: voicing.withdraw_consent(voice=voice, by=actor(alice), reason="Asked for.")


def _delete_voice(acme: Organization, alice: User) -> Act:
    voice = clone(acme, alice)
    return lambda: voicing.delete_voice(voice=voice, by=actor(alice))


def _fail_job(acme: Organization, alice: User) -> Act:
    customer = Customer(acme, alice)
    customer.job("Hello there.")
    revoke_key(key=customer.key(), by=alice)
    return work_off


def _create_deployment(acme: Organization, alice: User) -> Act:
    return lambda: deploying.create_deployment(organization=acme, name="speech", engine="cpu")


def _enter(state: State) -> Callable[[Organization, User], Act]:
    before = next(other for other in State if state in TRANSITIONS[other])

    def prepare(acme: Organization, alice: User) -> Act:
        made = deployment("speech", organization=acme, state=before)
        why = {"error_code": "no", "error_message": "It says no."} if state == State.FAILED else {}
        return lambda: deploying.transition(made, to=state, reason="Because.", **why)

    return prepare


def _spending(acme: Organization, *, stops: bool) -> None:
    """A dollar an hour, of a budget of ten, since eight hours and a little more."""
    made = deployment("speech", organization=acme)
    began = NOW - timedelta(hours=8, minutes=5)
    Run.objects.create(
        deployment=made, organization=acme, replica="r1", price_per_hour=Decimal(1), started_at=began
    )
    budgets.set_budget(acme, monthly_usd=Decimal(10), stops=stops)


def _near_budget(acme: Organization, alice: User) -> Act:
    _spending(acme, stops=False)
    return budgets.watch


def _use_up_budget(acme: Organization, alice: User) -> Act:
    _spending(acme, stops=True)
    budgets.watch()
    return budgets.watch


def _limited(acme: Organization, characters: int) -> None:
    set_limits(
        organization=acme,
        requests_per_minute=None,
        concurrent_requests=None,
        characters_per_request=None,
        characters_per_month=1000,
    )
    record(acme, at=NOW - timedelta(hours=1), characters=characters, characters_charged=characters)


def _near_quota(acme: Organization, alice: User) -> Act:
    _limited(acme, 850)
    return roll_up


def _use_up_quota(acme: Organization, alice: User) -> Act:
    _limited(acme, 850)
    roll_up()
    record(acme, at=NOW, characters=150, characters_charged=150)
    return roll_up


def _disable_endpoint(acme: Organization, alice: User) -> Act:
    failing: Endpoint = endpoint(acme, description="Failing").endpoint
    Endpoint.objects.filter(pk=failing.pk).update(failing_since=NOW - timedelta(days=5))
    return lambda: health.disable(failing, because=Endpoint.Disabled.FAILING)


def _decide_clip(state: Clip.State) -> Callable[[Organization, User], Act]:
    def prepare(acme: Organization, alice: User) -> Act:
        campaign, speaker = collecting.campaign(acme), collecting.speaker()
        collecting.agree(speaker, campaign)
        made = collecting.clip(speaker, campaign.prompts.all()[0])
        return lambda: deciding.decide(made, to=state, source=Decision.Source.STAFF, reason="Because.")

    return prepare


def _pay_out(acme: Organization, alice: User) -> Act:
    campaign, speaker = collecting.campaign(acme, hold_days=0), collecting.speaker()
    collecting.agree(speaker, campaign)
    made = collecting.clip(speaker, campaign.prompts.all()[0], speech_ms=1_500_000)
    deciding.decide(made, to=Clip.State.ACCEPTED, source=Decision.Source.STAFF)
    ledger.release_due()
    people.set_payout_account(speaker, "AT61 1904 3002 3457 3201")
    batch = payouts.propose(by=alice)
    assert batch is not None
    payouts.approve(batch, by=alice)
    told = [payouts.Told(payout.pk, paid=True, transfer_id="tr_1") for payout in batch.payouts.all()]
    return lambda: payouts.settle(batch, told)


CAUSES = [
    Cause(("key.created",), _create_key),
    Cause(("key.rotated",), _rotate_key),
    Cause(("key.revoked",), _revoke_key),
    Cause(("voice.created",), _create_voice),
    Cause(("voice.suspended",), _suspend_voice),
    Cause(("voice.unsuspended",), _unsuspend_voice),
    Cause(("consent.withdrawn",), _withdraw_consent),
    # The consent ends with the voice, and says so to whoever keeps an eye on consents.
    Cause(("voice.deleted", "consent.withdrawn"), _delete_voice),
    Cause(("job.failed",), _fail_job),
    Cause(("deployment.requested",), _create_deployment),
    *(Cause((f"deployment.{state.value}",), _enter(state)) for state in State),
    Cause(("budget.threshold_reached",), _near_budget),
    Cause(("budget.threshold_reached",), _use_up_budget, NOW + timedelta(hours=1, minutes=54)),
    Cause(("usage.threshold_reached",), _near_quota),
    Cause(("quota.exhausted",), _use_up_quota),
    Cause(("endpoint.disabled",), _disable_endpoint),
    Cause(("clip.accepted",), _decide_clip(Clip.State.ACCEPTED)),
    Cause(("clip.rejected",), _decide_clip(Clip.State.REJECTED)),
    Cause(("payout.paid",), _pay_out),
]
