"""/api/voices: acme's key and people, globex's as outsiders."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from django.test import Client

from apps.accounts.models import Organization, User
from apps.keys import identity
from apps.voices import services, statements
from apps.voices.models import Voice, VoiceConsent
from tests.cast import signed_in
from tests.gpu_worker.voices.recordings import recording
from tests.keys.api_client import error_of, issue
from tests.voices.recordings import actor, clone

MANY_FIELDS = b"--x\r\nContent-Disposition: form-data; name=a\r\n\r\n\r\n" * 2000 + b"--x--"
VERSION = statements.current_consent().version


class Api:
    """A caller with a key of an organization."""

    def __init__(self, organization: Organization, *scopes: str) -> None:
        self.issued = issue(organization, scopes=list(scopes))
        self._client = Client(headers={"X-API-Key": self.issued.secret}, REMOTE_ADDR="203.0.113.9")

    def get(self, path: str = "/api/voices", **query: Any) -> Any:
        return self._client.get(path, query)

    def add(self, **changed: Any) -> Any:
        form: dict[str, Any] = {"name": "Ada", "consent": "true", "consent_version": VERSION}
        form |= {"file": io.BytesIO(recording())} | changed
        return self._client.post(
            "/api/voices", {key: value for key, value in form.items() if value is not None}
        )

    def send(self, method: str, path: str, body: Any = None) -> Any:
        content = body if isinstance(body, bytes) else json.dumps(body or {}).encode()
        return self._client.generic(method, path, content, content_type="application/json")

    def raw(self, body: bytes, content_type: str) -> Any:
        return self._client.generic("POST", "/api/voices", body, content_type=content_type)


@pytest.fixture
def api(acme: Organization) -> Api:
    return Api(acme, "manage")


def test_a_voice_from_its_recording_to_its_end(acme: Organization, api: Api) -> None:
    statement = api.get("/api/voices/consent").json()
    assert statement == {
        "version": VERSION,
        "text": statements.current_consent().text,
        "sha256": statements.current_consent().sha256,
    }
    made = api.add(labels='{"accent": "Scottish"}', language="en-GB", description="Reads.")
    assert made.status_code == 201
    told = made.json()
    voice = Voice.objects.get()
    assert told["id"] == str(voice.pk)
    assert told["category"] == "cloned"
    assert (told["labels"], told["languages"]) == ({"accent": "Scottish"}, ["en-GB"])
    assert (told["state"], told["preview_url"], told["reference_seconds"]) == ("active", None, 4.1)
    assert told["consent"]["version"] == VERSION
    assert told["consent"]["given_by"] == f"API key {api.issued.key.prefix}…"
    assert VoiceConsent.objects.get().address == "203.0.113.9"
    path = f"/api/voices/{voice.pk}"
    assert api.get(path).json() == told
    assert api.get().json()["results"] == [told]
    changed = api.send("PATCH", path, {"name": "Bea", "labels": {}})
    assert changed.status_code == 200
    assert api.get(path).json() == changed.json() == told | {"name": "Bea", "labels": {}}
    withdrawn = api.send("POST", f"{path}/consent/withdraw", {"reason": "She asked."})
    assert withdrawn.status_code == 200
    assert withdrawn.json()["state"] == "withdrawn"
    assert withdrawn.json()["consent"]["withdrawn_reason"] == "She asked."
    assert error_of(api.send("POST", f"{path}/consent/withdraw"), 409)["code"] == "consent_withdrawn"
    assert api.send("DELETE", path).status_code == 204
    assert error_of(api.get(path), 404)["code"] == "voice_not_found"
    assert api.get().json()["results"] == []


@pytest.mark.parametrize(
    ("changed", "status", "code", "param"),
    [
        ({"consent": None}, 400, "consent_required", "consent"),
        ({"consent": "false"}, 400, "consent_required", "consent"),
        ({"consent": "perhaps"}, 400, "invalid_request", "consent"),
        ({"consent_version": "consent-0"}, 400, "consent_version_outdated", "consent_version"),
        ({"consent_version": None}, 400, "invalid_request", "consent_version"),
        ({"file": None}, 400, "invalid_request", "file"),
        ({"file": "a path"}, 400, "invalid_request", "file"),
        ({"name": None}, 400, "invalid_request", "name"),
        ({"name": " "}, 400, "invalid_request", "name"),
        ({"name": "a\x00b"}, 400, "invalid_request", "name"),
        ({"labels": "no JSON"}, 400, "invalid_request", "labels"),
        ({"labels": "[" * 100_000}, 400, "invalid_request", "labels"),
        ({"labels": '{"a": 1}'}, 400, "invalid_request", "labels"),
        ({"labels": '{"a": ""}'}, 400, "invalid_request", "labels"),
    ],
)
def test_what_is_wrong_with_a_form_is_named(
    api: Api, changed: dict[str, Any], status: int, code: str, param: str
) -> None:
    error = error_of(api.add(**changed), status)
    assert error["code"] == code
    assert (error["param"] or "").partition(".")[0] == param
    assert not Voice.objects.exists()


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"no recording", "recording_format"),
        (recording(seconds=1), "recording_too_short"),
        (recording(level=0), "recording_silent"),
    ],
)
def test_a_recording_is_refused_in_words(api: Api, data: bytes, code: str) -> None:
    error = error_of(api.add(file=io.BytesIO(data)), 400)
    assert (error["code"], error["param"]) == (code, "file")
    assert error_of(api.add(file=io.BytesIO(b"")), 400)["param"] == "file"


def test_several_files_are_one_voice(api: Api) -> None:
    files = [io.BytesIO(recording(seconds=2, hertz=hertz)) for hertz in (300, 400)]
    assert api.add(file=files).json()["reference_seconds"] == 4.2


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"", "multipart/form-data; boundary=x"),
        (b"", "multipart/form-data"),
        (b"x", "multipart/form-data; boundary=\xff"),
        (b'--x\r\nContent-Disposition: form-data; name="file"\r\n', "multipart/form-data; boundary=x"),
        (b"--x\r\nnonsense\r\n\r\n\x00\xff--x--", "multipart/form-data; boundary=x"),
        (
            b"--x\r\nContent-Disposition: form-data; name=f; filename*=utf-9''%ff\r\n\r\ny\r\n--x--",
            "multipart/form-data; boundary=x",
        ),
        (
            b'--x\r\nContent-Disposition: form-data; name="name"\r\n'
            b"Content-Transfer-Encoding: base64\r\n\r\n!\r\n--x--",
            "multipart/form-data; boundary=x",
        ),
        (MANY_FIELDS, "multipart/form-data; boundary=x"),
    ],
)
def test_a_form_that_is_none_is_refused_in_our_shape(api: Api, body: bytes, content_type: str) -> None:
    error_of(api.raw(body, content_type), 400)


def test_json_is_not_a_form(api: Api) -> None:
    error = error_of(api.raw(b"{}", "application/json"), 415)
    assert "multipart/form-data" in error["message"]
    assert "JSON" in error_of(api.send("PATCH", f"/api/voices/{uuid_of_none()}", b"{"), 400)["message"]


def uuid_of_none() -> str:
    return "01982f6b-7c7a-7d5e-8c1f-3b2a4d5e6f70"


def test_reading_needs_a_scope_and_changing_another(acme: Organization, alice: User) -> None:
    voice = clone(acme, alice)
    path = f"/api/voices/{voice.pk}"
    speech = Api(acme, "speech")
    for read in ("/api/voices", path, "/api/voices/consent"):
        assert speech.get(read).status_code == 200
    for ask in (
        ("POST", "/api/voices"),
        ("PATCH", path),
        ("DELETE", path),
        ("POST", f"{path}/consent/withdraw"),
    ):
        assert error_of(speech.send(*ask), 403)["code"] == "missing_scope"


def test_people_read_and_managers_change(acme: Organization, alice: User, bob: User) -> None:
    voice = clone(acme, alice)
    path = f"/api/voices/{voice.pk}"
    member = signed_in(bob)
    assert member.get("/api/voices").json()["results"][0]["id"] == str(voice.pk)
    assert error_of(member.delete(path), 403)
    assert error_of(signed_in(alice, enforce_csrf_checks=True).delete(path), 403)
    assert signed_in(alice).delete(path).status_code == 204
    assert VoiceConsent.objects.get().withdrawn_by == alice


def test_another_organizations_is_not_there(acme: Organization, alice: User, globex: Organization) -> None:
    voice = clone(acme, alice)
    outsider, path = Api(globex, "manage"), f"/api/voices/{voice.pk}"
    assert outsider.get().json()["results"] == []
    assert error_of(outsider.get(path), 404)
    for method, where in (("PATCH", path), ("DELETE", path), ("POST", f"{path}/consent/withdraw")):
        assert error_of(outsider.send(method, where, {"name": "Theirs"}), 404)
    voice.refresh_from_db()
    assert (voice.name, voice.state) == ("Ada", "active")


def test_the_platforms_are_listed_and_not_to_be_changed(api: Api) -> None:
    voice = Voice.objects.create(
        category="premade", engine_voice="heart", name="Heart", engine_models=["hibari"]
    )
    told = api.get("/api/voices/heart").json()
    assert (told["id"], told["category"], told["models"], told["consent"]) == (
        "heart",
        "premade",
        ["hibari"],
        None,
    )
    assert error_of(api.get(f"/api/voices/{voice.pk}"), 404)
    for method, where in (("PATCH", "heart"), ("DELETE", "heart"), ("POST", "heart/consent/withdraw")):
        assert error_of(api.send(method, f"/api/voices/{where}"), 403)["code"] == "platform_voice"


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({}, {"Ada", "Bea", "heart"}),
        ({"search": "ad"}, {"Ada"}),
        ({"search": "deep"}, {"Bea"}),
        ({"category": "premade"}, {"heart"}),
        ({"category": "cloned"}, {"Ada", "Bea"}),
        ({"language": "en"}, {"Ada", "heart"}),
        ({"language": "en-GB"}, {"Ada"}),
        ({"language": "f"}, set()),
        ({"language": ".*"}, set()),
    ],
)
def test_the_list_is_searched_and_filtered(
    acme: Organization, alice: User, api: Api, query: dict[str, str], names: set[str]
) -> None:
    clone(acme, alice, name="Ada", languages=["de", "en-GB"])
    clone(acme, alice, name="Bea", description="A deep voice.", languages=["fr"])
    Voice.objects.create(category="premade", engine_voice="heart", name="heart", languages=["en"])
    assert {voice["name"] for voice in api.get(**query).json()["results"]} == names


def test_a_query_that_means_nothing_is_refused(api: Api) -> None:
    assert error_of(api.get(category="wild"), 400)["param"] == "category"
    assert error_of(api.get(search="x" * 81), 400)["param"] == "search"


def test_queries_do_not_grow_with_voices(
    acme: Organization, alice: User, api: Api, settings: Any, django_assert_num_queries: Any
) -> None:
    settings.LIMIT_VOICES = 30
    for number in range(6):
        voice = clone(acme, alice, name=f"Voice {number}")
        services.set_preview(voice=voice, mp3=b"mp3")
    api.get()
    identity.cache.clear()
    with django_assert_num_queries(4):  # the key, the organization, the page, its consents
        page = api.get(page_size=4).json()
    assert len(page["results"]) == 4
    assert api.get(page["next"].partition("testserver")[2]).json()["results"][-1]["name"] == "Voice 0"


def test_a_clip_is_linked(acme: Organization, alice: User, api: Api, settings: Any) -> None:
    voice = clone(acme, alice)
    services.set_preview(voice=voice, mp3=b"ID3 and so on")
    url = api.get(f"/api/voices/{voice.pk}").json()["preview_url"]
    answer: Any = Client().get(url.removeprefix(settings.BASE_URL))
    assert b"".join(answer.streaming_content) == b"ID3 and so on"
    assert answer["Content-Type"] == "audio/mpeg"
    services.withdraw_consent(voice=voice, by=actor(alice))
    assert api.get(f"/api/voices/{voice.pk}").json()["preview_url"] is None
