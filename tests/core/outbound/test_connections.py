"""Connections that are kept, many callers at once, and processes that fork."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from apps.core.outbound.answers import Answer, Problem
from apps.core.outbound.client import OutboundClient

from .certificates import Authority
from .conftest import MakeClient
from .receivers import LOOPBACK, OK, Receiver, read_request

CHECKOUT = Path(__file__).resolve().parents[3]


def test_a_connection_is_kept_for_the_next_post(client: OutboundClient) -> None:
    with Receiver() as receiver:
        for _ in range(20):
            assert client.post(receiver.url, body=b"", headers={}).address == "127.0.0.1"
        assert receiver.connections == 1


def test_a_connection_is_let_go_after_five_seconds(client: OutboundClient) -> None:
    with Receiver() as receiver:
        left: list[float] = []

        def talk(connection: socket.socket) -> None:
            receiver.answering(OK)(connection)
            left.append(time.monotonic())

        receiver.talking(talk)
        client.post(receiver.url, body=b"", headers={})
        started = time.monotonic()
        while not left and time.monotonic() < started + 15:
            time.sleep(0.05)
        assert 4.5 < left[0] - started < 11


def test_a_kept_connection_that_the_other_side_has_ended(client: OutboundClient) -> None:
    """Ended just when the next request comes: nobody failed, so it is sent again on a new one."""
    with Receiver() as receiver:

        def talk(connection: socket.socket) -> None:
            read_request(connection)
            connection.sendall(OK)
            read_request(connection)  # and away

        receiver.talking(talk)
        answers = [client.post(receiver.url, body=b"", headers={}) for _ in range(6)]
        assert [answer.status for answer in answers] == [200] * 6
        assert receiver.connections == 6


def test_a_new_connection_that_ends_is_not_tried_again(client: OutboundClient) -> None:
    with Receiver() as receiver:
        receiver.talking(lambda connection: read_request(connection))
        assert client.post(receiver.url, body=b"", headers={}).problem == Problem.RESET
        assert receiver.connections == 1


def test_a_connection_is_kept_unless_there_is_more_to_come(client: OutboundClient) -> None:
    short, long = (
        b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % length + b"a" * length for length in (3, 1_000_000)
    )
    with Receiver() as receiver:
        receiver.talking(receiver.answering(short, short, long, long, short))
        for connections in (1, 1, 1, 2, 3):
            answer = client.post(receiver.url, body=b"", headers={}, max_bytes=2)
            assert (answer.status, answer.body, answer.is_cut) == (200, b"aa", True)
            assert receiver.connections == connections


def test_an_answer_that_is_cut_takes_no_connection_from_another(client: OutboundClient) -> None:
    """One that is there as a whole is free for the next caller before its body is read."""
    with Receiver() as receiver, ThreadPoolExecutor(16) as pool:
        receiver.talking(receiver.answering(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n" + b"a" * 500))
        posts = [
            pool.submit(client.post, receiver.url, body=b"", headers={}, max_bytes=2) for _ in range(400)
        ]
        assert {future.result().status for future in posts} == {200}
        assert receiver.connections <= 16


def test_few_connections_go_to_one_host(client: OutboundClient) -> None:
    with Receiver() as receiver:
        lock, now, most = threading.Lock(), [0], [0]

        def talk(connection: socket.socket) -> None:
            while read_request(connection):
                with lock:
                    now[0] += 1
                    most[0] = max(most[0], now[0])
                time.sleep(0.02)
                with lock:
                    now[0] -= 1
                connection.sendall(OK)

        receiver.talking(talk)
        with ThreadPoolExecutor(40) as pool:
            answers = list(pool.map(lambda _: client.post(receiver.url, body=b"", headers={}), range(200)))
        assert {answer.status for answer in answers} == {200}
        assert most[0] <= 16
        assert receiver.connections <= 16


def test_fifty_threads_and_a_receiver_that_hangs(client: OutboundClient) -> None:
    with Receiver() as hanging, Receiver() as receiver, ThreadPoolExecutor(60) as pool:
        hanging.talking(hanging.hanging())

        def post(number: int) -> list[Answer]:
            return [
                client.post(f"{receiver.url}/{number}/{index}", body=b"x" * 1000, headers={})
                for index in range(20)
            ]

        slow = [pool.submit(client.post, hanging.url, body=b"", headers={}) for _ in range(10)]
        answers = [answer for part in pool.map(post, range(50)) for answer in part]
        assert not any(future.done() for future in slow)
        hanging.let_go.set()
        assert {future.result().problem for future in slow} == {Problem.RESET}
    assert {(answer.status, answer.body) for answer in answers} == {(200, b"ok")}
    lines = {request.line for request in receiver.requests}
    assert lines == {f"POST /{number}/{index} HTTP/1.1" for number in range(50) for index in range(20)}


def test_names_that_take_long_hold_up_no_others(make_client: MakeClient) -> None:
    let_go = threading.Event()

    def resolve(host: str, port: int) -> Sequence[str]:
        if host.startswith("slow"):
            let_go.wait(20)
        return ["127.0.0.1"]

    client = make_client(resolve=resolve, allowed_networks=LOOPBACK)
    with Receiver() as receiver, ThreadPoolExecutor(50) as pool:

        def post(name: str, seconds: float = 15) -> Answer:
            url = f"http://{name}.example.com:{receiver.port}/"
            return client.post(url, body=b"", headers={}, timeout_seconds=seconds)

        slow = [pool.submit(post, f"slow-{number}") for number in range(45)]
        assert [post(f"quick-{number}").status for number in range(10)] == [200] * 10
        late = post("slow-0", 0.5)
        assert late.problem == Problem.TIMEOUT
        assert late.problem_words == "No connection to slow-0.example.com could be made in time."
        assert not any(future.done() for future in slow)
        let_go.set()
        assert {future.result().status for future in slow} == {200}


def test_the_second_address_of_a_name_is_tried(make_client: MakeClient) -> None:
    client = make_client(resolve=lambda host, port: ["::1", "127.0.0.1"], allowed_networks=LOOPBACK)
    with Receiver() as receiver:
        answer = client.post(f"http://two.example.com:{receiver.port}/", body=b"", headers={})
    assert (answer.status, answer.address) == (200, "127.0.0.1")


FORKING = """
import os, ssl, sys
from apps.core.addresses import networks_of
from apps.core.outbound.client import OutboundClient

plain, secure, authority = sys.argv[1:]
context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
context.load_verify_locations(authority)
client = OutboundClient(allowed_networks=networks_of(("127.0.0.0/8",)), ssl_context=context)

def both(who):
    for url in (plain, secure):
        answer = client.post(url, body=who.encode(), headers={})
        assert answer.status == 200, (who, answer)

both("before")
for number in range(3):
    child = os.fork()
    if child == 0:
        both(f"child-{number}")
        both(f"child-{number}")
        client.close()
        sys.exit(0)  # with all finalizers
    both("meanwhile")
    assert os.waitpid(child, 0)[1] == 0
    both("after")
client.close()
print("done")
"""


def test_a_process_that_forks_after_use(authority: Authority, tmp_path: Path) -> None:
    bundle = tmp_path / "authority.pem"
    bundle.write_bytes(authority.pem())
    with Receiver() as plain, Receiver(tls=authority.serving("127.0.0.1")) as secure:
        done = subprocess.run(
            [sys.executable, "-c", FORKING, plain.url, secure.url, str(bundle)],
            cwd=CHECKOUT,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert (done.stdout, done.stderr) == ("done\n", "")
        for receiver in (plain, secure):
            assert receiver.connections >= 4  # one of the parent, and one of each child
            assert len(receiver.requests) == 13


def test_a_kept_connection_ends_for_the_other_side_though_a_child_holds_it(
    authority: Authority, tmp_path: Path
) -> None:
    """A descriptor that a child still held would keep the connection open."""
    bundle = tmp_path / "authority.pem"
    bundle.write_bytes(authority.pem())
    script = FORKING.split('both("before")')[0] + (
        "client.post(plain, body=b'', headers={})\n"
        "is_child = os.fork() == 0\n"
        "if not is_child:\n    client.close()\n    print('closed', flush=True)\n"
        "sys.stdin.read()\n"
    )
    with Receiver() as receiver:
        ended = threading.Event()

        def talk(connection: socket.socket) -> None:
            receiver.answering(OK)(connection)
            ended.set()

        receiver.talking(talk)
        process = subprocess.Popen(
            [sys.executable, "-c", script, receiver.url, receiver.url, str(bundle)],
            cwd=CHECKOUT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        assert process.stdout.readline() == "closed\n"
        assert ended.wait(3)
        process.communicate()
