"""`manage.py seed_demo` and var/demo.env."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from apps.accounts.models import Membership, Organization, User
from apps.console import demo_campaign, demo_file
from apps.contributions.models import Campaign
from apps.deployments.models import Deployment, Worker
from apps.keys import identity
from apps.keys.models import ApiKey
from apps.keys.services import revoke_key
from tests.platform import test_database_url

NAMES = ["BASE_URL", "ADMIN_EMAIL", "ADMIN_PASSWORD", "API_KEY_LIVE", "API_KEY_TEST", "WORKER_URL"]


@pytest.fixture
def var_dir(settings: Any, tmp_path: Path) -> Path:
    settings.VAR_DIR = tmp_path
    return tmp_path


def seed() -> dict[str, str]:
    call_command("seed_demo", verbosity=0)
    for prefix in ApiKey.objects.values_list("prefix", flat=True):
        identity.cache.forget(prefix)  # a second in which a revoked key still opens the door
    return demo_file.read()


def shared_worker(url: str) -> Worker:
    deployment = Deployment.objects.get(organization=None)
    Deployment.objects.filter(pk=deployment.pk).update(state="ready")
    return Worker.objects.create(
        deployment=deployment, provider_id=url, url=url, state="ready", last_seen_at=timezone.now()
    )


def test_it_makes_everything_and_writes_the_file(db: None, var_dir: Path, settings: Any) -> None:
    values = seed()
    assert list(values) == NAMES
    assert stat.S_IMODE((var_dir / "demo.env").stat().st_mode) == 0o600
    assert values["BASE_URL"] == settings.BASE_URL
    assert values["WORKER_URL"] == ""
    admin = User.objects.get(email=values["ADMIN_EMAIL"])
    assert admin.is_superuser
    assert EmailAddress.objects.get(user=admin).verified
    organization = Membership.objects.get(user=admin, role="owner").organization
    campaign = Campaign.objects.get(organization=organization)
    assert campaign.is_running
    assert campaign.prompts.count() == len(demo_campaign.SENTENCES)
    live, test = (identity.authenticate(values[name]) for name in ("API_KEY_LIVE", "API_KEY_TEST"))
    assert (live.mode, live.scopes, live.organization_id) == ("live", {"speech", "manage"}, organization.pk)
    assert (test.mode, test.scopes, test.organization_id) == ("test", {"speech"}, organization.pk)
    assert Deployment.objects.shared().count() == 1


def test_its_sign_in_works_and_needs_no_mail(db: None, var_dir: Path, settings: Any) -> None:
    settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)
    values = seed()
    client = Client()
    form = {"login": values["ADMIN_EMAIL"], "password": values["ADMIN_PASSWORD"]}
    assert client.post("/accounts/login/?next=/admin/", form).headers["Location"] == "/admin/"
    assert client.get("/admin/").status_code == 200


def test_a_second_start_keeps_everything(db: None, var_dir: Path, settings: Any) -> None:
    first = seed()
    settings.BASE_URL = "http://localhost:9999"
    assert seed() == first | {"BASE_URL": "http://localhost:9999"}
    assert ApiKey.objects.count() == 2
    assert Organization.objects.count() == User.objects.count() == Campaign.objects.count() == 1


def test_a_dead_key_is_replaced_and_the_other_kept(db: None, var_dir: Path) -> None:
    first = seed()
    revoke_key(key=ApiKey.objects.get(mode="live"), by=None)
    second = seed()
    assert second["API_KEY_LIVE"] != first["API_KEY_LIVE"]
    assert second["API_KEY_TEST"] == first["API_KEY_TEST"]
    assert identity.authenticate(second["API_KEY_LIVE"]).mode == "live"


def test_a_lost_file_is_made_anew_again_and_again(db: None, var_dir: Path) -> None:
    for _ in range(12):
        values = seed()
        (var_dir / "demo.env").unlink()
    assert identity.authenticate(values["API_KEY_LIVE"]).mode == "live"
    assert ApiKey.objects.filter(mode="live").usable().count() <= 11


def test_the_environment_decides_the_sign_in(db: None, var_dir: Path, settings: Any) -> None:
    seed()
    settings.ADMIN_PASSWORD = "it's a $secret"
    settings.ADMIN_EMAIL = "root@example.com"
    values = seed()
    assert values["ADMIN_PASSWORD"] == "it's a $secret"
    assert User.objects.get(email="root@example.com").check_password("it's a $secret")
    sourced = subprocess.run(
        ["bash", "-c", f'. {var_dir}/demo.env && printf %s "$ADMIN_PASSWORD"'],
        capture_output=True,
        text=True,
        check=True,
    )
    assert sourced.stdout == "it's a $secret"


def test_production_is_refused(db: None, var_dir: Path, settings: Any) -> None:
    settings.IS_PRODUCTION = True
    with pytest.raises(CommandError, match="no place in production"):
        call_command("seed_demo")
    assert not User.objects.exists()
    assert not (var_dir / "demo.env").exists()


def test_the_worker_is_right_whenever_speech_is_ready(client: Client, db: None, var_dir: Path) -> None:
    first = seed()
    assert client.get("/ready/speech").status_code == 503
    worker = shared_worker("http://127.0.0.1:40001")
    assert client.get("/ready/speech").status_code == 200
    assert demo_file.read() == first | {"WORKER_URL": "http://127.0.0.1:40001"}
    worker.delete()
    shared_worker("http://127.0.0.1:40002")
    assert client.get("/ready/speech").status_code == 200
    assert demo_file.read()["WORKER_URL"] == "http://127.0.0.1:40002"
    assert stat.S_IMODE((var_dir / "demo.env").stat().st_mode) == 0o600


def test_asking_for_readiness_makes_no_file(client: Client, db: None, var_dir: Path) -> None:
    seed()
    shared_worker("http://127.0.0.1:40001")
    (var_dir / "demo.env").unlink()
    assert client.get("/ready/speech").status_code == 200
    assert list(var_dir.iterdir()) == []


def test_a_worker_of_the_last_run_is_not_named(db: None, var_dir: Path) -> None:
    seed()
    shared_worker("http://127.0.0.1:1")
    assert seed()["WORKER_URL"] == ""


def test_twice_at_once(transactional_db: None, var_dir: Path) -> None:
    environment = os.environ | {"DATABASE_URL": test_database_url(), "VAR_DIR": str(var_dir)}
    command = [sys.executable, "manage.py", "seed_demo"]
    both = [subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL) for _ in range(2)]
    assert [process.wait(60) for process in both] == [0, 0]
    assert ApiKey.objects.count() == 2
    assert Organization.objects.count() == 1
    assert identity.authenticate(demo_file.read()["API_KEY_LIVE"]).mode == "live"
