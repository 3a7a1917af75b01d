"""The supervisor as a real process, with real workers."""

from __future__ import annotations

import os
import signal
import stat
from pathlib import Path

import httpx
import pytest

from apps.core import processes
from apps.deployments.providers.base import ProviderError, ReplicaState
from tests.deployments.local_provider import Supervisor, children_of, eventually, is_alive, wanted


def environment_of(pid: int) -> dict[str, str]:
    entries = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    return dict(entry.decode().split("=", 1) for entry in entries if entry)


def test_starts_a_worker_that_can_speak(supervisor: Supervisor) -> None:
    spec = wanted()
    supervisor.provider.ensure(spec)
    [replica] = supervisor.until_running(spec.deployment_id)
    assert httpx.get(f"{replica.url}/ready").status_code == 200
    assert supervisor.provider.list_ids() == {spec.deployment_id}


def test_asking_twice_changes_nothing(supervisor: Supervisor) -> None:
    spec = wanted()
    supervisor.provider.ensure(spec)
    before = supervisor.until_running(spec.deployment_id)
    supervisor.provider.ensure(spec)
    assert supervisor.until_running(spec.deployment_id) == before


def test_a_worker_knows_nothing_of_our_secrets(supervisor: Supervisor) -> None:
    spec = wanted()
    supervisor.provider.ensure(spec)
    supervisor.until_running(spec.deployment_id)
    [recorded] = supervisor.workers()
    known = environment_of(recorded.pid)
    assert known["ENGINE"] == "tone"
    assert (
        not {"SECRET_KEY", "DATABASE_URL", "REDIS_URL", "FIELD_ENCRYPTION_KEYS", "KEY_PEPPERS"} & known.keys()
    )


def test_a_worker_clones_with_the_secret_that_we_share(supervisor: Supervisor) -> None:
    spec = wanted()
    supervisor.provider.ensure(spec)
    [replica] = supervisor.until_running(spec.deployment_id)
    assert "clone" in httpx.get(f"{replica.url}/ready").json()["features"]
    known = environment_of(supervisor.workers()[0].pid)
    assert known["CONSENT_SECRET"] == os.environ["CONSENT_SECRET"]
    assert known["VOICE_CACHE"] == str(supervisor.var_dir / "voice-cache")
    assert "REFERENCE_ORIGINS" not in known


def test_a_crashed_worker_is_replaced_by_another(supervisor: Supervisor) -> None:
    spec = wanted()
    supervisor.provider.ensure(spec)
    [first] = supervisor.until_running(spec.deployment_id)
    os.kill(supervisor.workers()[0].pid, signal.SIGKILL)
    eventually(lambda: first.id not in {r.id for r in supervisor.observe(spec.deployment_id).replicas})
    [second] = supervisor.until_running(spec.deployment_id)
    assert second.id != first.id


def test_says_in_the_workers_words_why_it_does_not_start(supervisor: Supervisor) -> None:
    spec = wanted(engine="flute")
    supervisor.provider.ensure(spec)

    def words() -> str:
        [replica] = supervisor.observe(spec.deployment_id).replicas
        return replica.message

    assert "ended with status 2" in eventually(words)
    assert "ENGINE must be one of" in words()


def test_scales_up_and_down(supervisor: Supervisor) -> None:
    spec = wanted()
    supervisor.provider.ensure(spec)
    [kept] = supervisor.until_running(spec.deployment_id)
    supervisor.provider.ensure(wanted(spec.deployment_id, replicas=2))
    assert kept in supervisor.until_running(spec.deployment_id, 2)
    supervisor.provider.ensure(spec)
    assert supervisor.until_running(spec.deployment_id) == [kept]


def test_a_new_generation_replaces_every_worker(supervisor: Supervisor) -> None:
    spec = wanted()
    supervisor.provider.ensure(spec)
    [old] = supervisor.until_running(spec.deployment_id)
    supervisor.provider.ensure(wanted(spec.deployment_id, generation=2))
    [new] = supervisor.until_running(spec.deployment_id, generation=2)
    assert new.id != old.id


def test_the_old_generation_speaks_until_the_new_one_can(supervisor: Supervisor) -> None:
    spec = wanted()
    supervisor.provider.ensure(spec)
    [old] = supervisor.until_running(spec.deployment_id)
    supervisor.provider.ensure(wanted(spec.deployment_id, generation=2))
    seen = []
    while old.id in (
        there := {replica.id: replica for replica in supervisor.observe(spec.deployment_id).replicas}
    ):
        is_new_running = any(
            replica.generation == 2 and replica.state is ReplicaState.RUNNING for replica in there.values()
        )
        seen.append((there[old.id].state, is_new_running))
    assert (ReplicaState.RUNNING, False) in seen
    assert (ReplicaState.DRAINING, False) not in seen


def test_refuses_more_workers_than_the_machine_may_run(supervisor: Supervisor) -> None:
    supervisor.provider.ensure(wanted())
    with pytest.raises(ProviderError, match="LOCAL_MAX_WORKERS") as refused:
        supervisor.provider.ensure(wanted(replicas=4))
    assert (refused.value.code, refused.value.permanent) == ("capacity", True)
    assert len(supervisor.provider.list_ids()) == 1


def test_delete_leaves_no_process(supervisor: Supervisor) -> None:
    spec = wanted()
    supervisor.provider.ensure(spec)
    supervisor.until_running(spec.deployment_id)
    [recorded] = supervisor.workers()
    supervisor.provider.delete(spec.deployment_id)
    eventually(lambda: supervisor.provider.describe(spec) is None)
    assert not is_alive(recorded.pid)
    assert supervisor.workers() == []
    supervisor.provider.delete(spec.deployment_id)  # once more is no error


@pytest.mark.slow
def test_sigterm_ends_the_workers_and_keeps_what_is_wanted(own_supervisor: Supervisor) -> None:
    own_supervisor.start()
    spec = wanted()
    own_supervisor.provider.ensure(spec)
    own_supervisor.until_running(spec.deployment_id)
    [recorded] = own_supervisor.workers()
    assert own_supervisor.stop() == 0
    assert not is_alive(recorded.pid)
    assert not own_supervisor.layout.socket.exists()
    own_supervisor.start()
    own_supervisor.until_running(spec.deployment_id)


@pytest.mark.slow
def test_kill_9_leaves_no_worker_and_the_next_start_recovers(own_supervisor: Supervisor) -> None:
    own_supervisor.start()
    spec = wanted()
    own_supervisor.provider.ensure(spec)
    own_supervisor.until_running(spec.deployment_id)
    [recorded] = own_supervisor.workers()
    own_supervisor.kill()
    eventually(lambda: not is_alive(recorded.pid), seconds=5)
    own_supervisor.start()
    own_supervisor.until_running(spec.deployment_id)
    assert len(children_of(own_supervisor.pid)) == 1


@pytest.mark.slow
def test_a_worker_of_an_earlier_life_is_ended_at_the_next_start(own_supervisor: Supervisor) -> None:
    own_supervisor.layout.create()
    left_over = processes.spawn(["sleep", "60"], env={"PATH": os.environ["PATH"]}, log=None)
    own_supervisor.layout.state.write_text(
        '{"version": 1, "wanted": {}, "processes": '
        f'[{{"pid": {left_over.pid}, "identity": "{left_over.identity}"}}]}}'
    )
    own_supervisor.start()
    assert left_over.wait(5)


@pytest.mark.slow
def test_a_process_that_only_has_the_pid_of_a_worker_is_left_alone(own_supervisor: Supervisor) -> None:
    own_supervisor.layout.create()
    stranger = processes.spawn(["sleep", "60"], env={"PATH": os.environ["PATH"]}, log=None)
    own_supervisor.layout.state.write_text(
        f'{{"version": 1, "wanted": {{}}, "processes": [{{"pid": {stranger.pid}, "identity": "another:1"}}]}}'
    )
    own_supervisor.start()
    assert stranger.is_running()
    processes.terminate(stranger, 0)


@pytest.mark.slow
def test_a_state_file_cut_short_is_put_aside(own_supervisor: Supervisor) -> None:
    own_supervisor.start()
    spec = wanted()
    own_supervisor.provider.ensure(spec)
    own_supervisor.until_running(spec.deployment_id)
    own_supervisor.kill()
    half = own_supervisor.layout.state.read_bytes()[:50]
    own_supervisor.layout.state.write_bytes(half)
    own_supervisor.start()
    assert own_supervisor.provider.list_ids() == set()
    assert own_supervisor.layout.state.with_suffix(".broken").read_bytes() == half
    own_supervisor.provider.ensure(spec)
    own_supervisor.until_running(spec.deployment_id)


@pytest.mark.slow
def test_a_worker_that_hangs_is_killed_and_replaced(supervisor: Supervisor) -> None:
    spec = wanted()
    supervisor.provider.ensure(spec)
    [hanging] = supervisor.until_running(spec.deployment_id)
    os.kill(supervisor.workers()[0].pid, signal.SIGSTOP)
    eventually(lambda: hanging.id not in {r.id for r in supervisor.observe(spec.deployment_id).replicas})
    supervisor.until_running(spec.deployment_id)
    assert "did not answer /health" in supervisor.log


def test_a_second_supervisor_on_the_same_folder_refuses(supervisor: Supervisor) -> None:
    second = supervisor.run_again()
    assert second.returncode == 1
    assert "Another local provider is running" in second.stderr
    assert supervisor.answers()


def test_only_its_owner_may_use_the_socket(supervisor: Supervisor) -> None:
    layout = supervisor.layout
    assert stat.S_IMODE(layout.socket.stat().st_mode) == 0o600
    assert stat.S_IMODE(layout.folder.stat().st_mode) == 0o700
    supervisor.provider.ensure(wanted(replicas=0))
    assert stat.S_IMODE(layout.state.stat().st_mode) == 0o600


@pytest.mark.slow
def test_with_tokens_required_a_worker_asks_for_its_own(own_supervisor: Supervisor) -> None:
    own_supervisor.environment = {"LOCAL_WORKER_TOKEN_REQUIRED": "true"}
    own_supervisor.start()
    spec = wanted(replicas=2)
    own_supervisor.provider.ensure(spec)
    first, second = own_supervisor.until_running(spec.deployment_id, 2)
    assert first.token != second.token
    assert len(first.token) >= 32
    assert first.token not in own_supervisor.log
    assert speak(first.url, token="") == 401
    assert speak(first.url, token=second.token) == 401
    assert speak(first.url, token=first.token) == 200


def speak(url: str, *, token: str) -> int:
    headers = {"X-Worker-Token": token} if token else {}
    return httpx.post(f"{url}/generate", json={"text": "Hello."}, headers=headers).status_code


@pytest.mark.slow
def test_a_folder_whose_path_is_too_long_for_a_socket_works(own_supervisor: Supervisor) -> None:
    own_supervisor.var_dir /= "deep" * 30
    own_supervisor.start()
    spec = wanted(replicas=0)
    own_supervisor.provider.ensure(spec)
    assert own_supervisor.provider.list_ids() == {spec.deployment_id}


def test_nobody_listening_is_said_with_what_to_do(var_dir: Path) -> None:
    with pytest.raises(ProviderError, match="run_local_provider") as error:
        Supervisor(var_dir).provider.describe(wanted())
    assert not error.value.permanent


def test_a_worker_that_never_speaks_is_still_described(supervisor: Supervisor) -> None:
    spec = wanted(engine="flute")
    supervisor.provider.ensure(spec)
    [replica] = supervisor.observe(spec.deployment_id).replicas
    assert replica.state in {ReplicaState.STARTING, ReplicaState.CRASHED}
