from __future__ import annotations

from django.test import Client

from apps.accounts.models import Organization, User
from apps.usage.models import OrganizationLimits
from apps.voices.services import withdraw_consent
from tests.cast import signed_in
from tests.console.deployed import deployed
from tests.voices.recordings import actor, clone


def page(user: User) -> str:
    return signed_in(user).get("/playground").content.decode()


def test_it_offers_shared_and_own_voices_and_nobody_elses(
    alice: User, acme: Organization, globex: Organization
) -> None:
    deployed("shared-cpu", model="hibari", voices=["heart", "kore"])
    deployed("narrators", model="chatterbox", voices=["warm"], organization=acme)
    deployed("secret", model="chatterbox-turbo", voices=["whisper"], organization=globex)
    html = page(alice)
    assert '<option value="heart" data-model="hibari">' in html
    assert '<option value="warm" data-model="chatterbox">' in html
    assert "whisper" not in html
    assert "chatterbox-turbo" not in html


def test_a_plan_without_the_shared_pool_offers_ones_own_alone(alice: User, acme: Organization) -> None:
    deployed("shared-cpu", model="hibari", voices=["heart"])
    deployed("narrators", model="chatterbox", voices=["warm"], organization=acme)
    OrganizationLimits.objects.create(organization=acme, may_use_shared_pool=False)
    html = page(alice)
    assert '<option value="warm" data-model="chatterbox">' in html
    assert "hibari" not in html


def test_a_model_that_clones_offers_ones_own_voices(
    alice: User, acme: Organization, charlie: User, globex: Organization
) -> None:
    deployed("shared-cpu", model="hibari", voices=["heart"])
    deployed("shared-gpu", model="chatterbox", voices=["warm"], features=("clone",))
    voice, gone = clone(acme, alice, name="Ada"), clone(acme, alice, name="Bea")
    withdraw_consent(voice=gone, by=actor(alice))
    clone(globex, charlie, name="Theirs")
    html = page(alice)
    assert f'<option value="{voice.pk}" data-model="chatterbox">Ada</option>' in html
    assert html.count(f'value="{voice.pk}"') == 1
    assert "Bea" not in html
    assert "Theirs" not in html


def test_without_a_voice_it_says_why(alice: User, acme: Organization) -> None:
    html = page(alice)
    assert "Nothing can speak yet" in html
    assert "<textarea" not in html


def test_the_same_call_is_shown_with_the_readers_address(alice: User, acme: Organization) -> None:
    deployed("shared-cpu", model="hibari", voices=["heart"])
    html = page(alice)
    assert html.count("http://testserver/generate") == 3
    assert html.count("YOUR_API_KEY") == 3


def test_the_limit_of_the_organization_is_counted_against(
    alice: User, acme: Organization, settings: object
) -> None:
    deployed("shared-cpu", model="hibari", voices=["heart"])
    settings.LIMIT_CHARACTERS_PER_REQUEST = 1234  # type: ignore[attr-defined]
    assert 'data-limit="1234"' in page(alice)


def test_queries(alice: User, acme: Organization, django_assert_num_queries: object) -> None:
    client = signed_in(alice)
    for number in range(4):
        deployed(f"cpu-{number}", model=f"model-{number}", voices=["heart"])
    with django_assert_num_queries(8):  # type: ignore[operator]
        client.get("/playground")


def test_speech_asks_for_a_session_and_for_the_token_of_its_form(alice: User, acme: Organization) -> None:
    body = {"text": "Hello.", "stream": True}
    signed_out = Client().post("/playground/speech", body, content_type="application/json")
    assert signed_out.status_code == 401
    assert signed_out.json()["error"]["code"] == "not_signed_in"
    forged = signed_in(alice, enforce_csrf_checks=True).post(
        "/playground/speech", body, content_type="application/json"
    )
    assert forged.status_code == 403


def test_speech_knows_the_person_of_the_session(alice: User, acme: Organization) -> None:
    """Past the session, a WSGI process can only say that speech is served elsewhere."""
    answer = signed_in(alice).post("/playground/speech", {"text": "Hello."}, content_type="application/json")
    assert answer.status_code == 503
    assert answer.json()["error"]["code"] == "speech_needs_asgi"
