"""Which addresses may be dialled, and which URLs are taken."""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from apps.core.errors import InvalidRequest
from apps.core.outbound.addresses import Target, UnusableUrl, check_url, may_dial, parse_url

PUBLIC = ["1.1.1.1", "8.8.8.8", "93.184.216.34", "172.15.0.1", "172.32.0.1", "100.63.0.1", "100.128.0.1"]
PUBLIC += ["192.169.0.1", "223.255.255.255", "2606:4700::1111", "2a00:1450:4001::1", "2003::1"]
NEVER = [
    *("0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "100.100.100.200", "127.0.0.1", "127.255.255.254"),  # noqa: S104
    *("168.63.129.16", "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.1", "192.0.0.192"),
    *("192.0.2.1", "192.31.196.1", "192.52.193.1", "192.88.99.1", "192.168.1.1", "192.175.48.1"),
    *("198.18.0.1", "198.19.255.255", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255"),
    *("240.0.0.1", "255.255.255.255"),
    *("::", "::1", "::127.0.0.1", "::8.8.8.8", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "::ffff:0:127.0.0.1"),
    *("64:ff9b::7f00:1", "64:ff9b::808:808", "64:ff9b:1::7f00:1", "100::1", "100:0:0:1::1"),
    *("2001::1", "2001:0:7f00:1::", "2001:2::1", "2001:3::1", "2001:10::1", "2001:20::1", "2001:1ff::1"),
    *("2001:db8::1", "2002:7f00:1::", "2002:808:808::1", "3ffe::1", "3fff::1", "3fff:fff::1", "4000::1"),
    *("5f00::1", "fc00::1", "fd00:ec2::254", "fe80::1", "fe80::1%eth0", "febf::1", "fec0::1", "feff::1"),
    *("ff02::1", "ff0e::1", "2606:4700::1111%eth0"),
]
SPELLINGS = {
    "https://example.com": "https://example.com/",
    "HTTPS://EXAMPLE.com:443/A/%2f?b=C": "https://example.com/A/%2f?b=C",
    "https://example.com.": "https://example.com/",
    "https://example.com?x=1": "https://example.com/?x=1",
    "https://example.com:00443/": "https://example.com/",
    "https://example.com:8443": "https://example.com:8443/",
    "https://bücher.example/ä?ö=ü": "https://xn--bcher-kva.example/%C3%A4?%C3%B6=%C3%BC",
    "https://ｅxample。com/": "https://example.com/",
    "https://hooks.example.com/a?sig=ab%2Bc%3D+/=&t={x}": (
        "https://hooks.example.com/a?sig=ab%2Bc%3D+/=&t=%7Bx%7D"
    ),
    "https://example.com/a/../b//c/./": "https://example.com/a/../b//c/./",
    "https://example.com/a@b:c|d[e]": "https://example.com/a@b:c|d[e]",
    "https://my_host.example.com/": "https://my_host.example.com/",
    "https://8.8.8.8/": "https://8.8.8.8/",
    "https://[2606:4700::1111]:8443/": "https://[2606:4700::1111]:8443/",
    "https://127.0.0.1.nip.example/": "https://127.0.0.1.nip.example/",
}
SHAPES = {
    "": "whole one",
    "example.com": "whole one",
    "//example.com/": "whole one",
    "/path": "whole one",
    "https:example.com": "whole one",
    "https:/example.com": "whole one",
    "http://example.com/": "start with https://",
    "ftp://example.com/": "start with https://",
    "javascript://example.com/": "start with https://",
    "file:///etc/passwd": "start with https://",
    "https://": "name a host",
    "https:///path": "name a host",
    "https://:443/": "name a host",
    "https://[]/": "name a host",
    "https://user@example.com/": "user name",
    "https://user:secret@example.com/": "user name",
    "https://@example.com/": "user name",
    "https://example.com/#": "fragment",
    "https://example.com/#x": "fragment",
    "https://example.com/ x": "spaces",
    " https://example.com/": "spaces",
    "https://example.com/\n": "control",
    "https://exam\tple.com/": "control",
    "https://example.com\x00/": "control",
    "https://example.com\\@evil.example/": "backslashes",
    "https://example.com/\u200b": "control",
    "https://example.com/\ud800": "control",
    "https://example.com:0/": "port",
    "https://example.com:/": "port",
    "https://example.com:65536/": "port",
    "https://example.com:+443/": "port",
    "https://example.com:４４３/": "port",
    "https://example.com:443:443/": "port",
    "https://a..b.example/": "not one",
    "https://.example.com/": "not one",
    "https://example.com../": "not one",
    "https://-a.example.com/": "not one",
    "https://a%2eexample.com/": "not one",
    "https://a,b.example.com/": "not one",
    "https://[::1/": "not one",
    "https://::1/": "name a host",
    "https://[example.com]/": "not one",
    "https://[8.8.8.8]/": "not one",
    f"https://{'a' * 64}.example.com/": "not one",
    f"https://{'a.' * 127}example/": "not one",
    f"https://example.com/{'a' * 1981}": "2,000",
    f"https://example.com/{'ä' * 400}": "2,000",
    "https://[2606:4700:0::1111]/": "usual form: 2606:4700::1111",
    "https://[2606:4700::ABCD]/": "usual form",
    "https://8.8.8.8./": "usual form",
}


@pytest.mark.parametrize("text", PUBLIC)
def test_what_everybody_can_reach_may_be_dialled(text: str) -> None:
    assert may_dial(ip_address(text), ())
    assert not may_dial(ip_address(text), (), is_plain=True)


@pytest.mark.parametrize("text", NEVER)
def test_nothing_else_may(text: str) -> None:
    assert not may_dial(ip_address(text), ())


def test_but_what_the_operator_allows() -> None:
    allowed = (ip_network("10.1.0.0/16"), ip_network("::1/128"))
    assert may_dial(ip_address("10.1.2.3"), allowed)
    assert may_dial(ip_address("10.1.2.3"), allowed, is_plain=True)
    assert may_dial(ip_address("::1"), allowed)
    assert may_dial(ip_address("8.8.8.8"), allowed)
    assert not may_dial(ip_address("8.8.8.8"), allowed, is_plain=True)
    assert not may_dial(ip_address("10.2.0.1"), allowed)
    assert not may_dial(ip_address("::ffff:10.1.2.3"), allowed)


@pytest.mark.parametrize(("written", "spelling"), SPELLINGS.items())
def test_a_url_has_one_spelling(written: str, spelling: str) -> None:
    assert check_url(written) == spelling
    assert check_url(spelling) == spelling


@pytest.mark.parametrize(("url", "words"), SHAPES.items())
def test_what_is_no_url_to_send_to_is_refused_with_clear_words(url: str, words: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        check_url(url)
    assert caught.value.param == "url"
    assert words in caught.value.message


@pytest.mark.parametrize(
    "host",
    [
        *("localhost", "LOCALHOST", "localhost.", "a.localhost", "ｌｏｃａｌｈｏｓｔ", "ⓛⓞⓒⓐⓛⓗⓞⓢⓣ"),
        *("metadata.google.internal", "printer.local", "db", "router.home.arpa", "localhost.localdomain"),
    ],
)
def test_names_inside_a_network_are_for_those_who_allow_one(host: str, settings: Any) -> None:
    with pytest.raises(UnusableUrl) as caught:
        check_url(f"https://{host}/")
    assert caught.value.is_refused_address
    settings.OUTBOUND_ALLOWED_NETWORKS = [ip_network("127.0.0.0/8")]
    assert check_url(f"https://{host}/") == check_url(f"https://{host}/").lower()
    assert check_url(f"http://{host}/").startswith("http://")


def test_plain_http_goes_to_allowed_networks_alone(settings: Any) -> None:
    settings.OUTBOUND_ALLOWED_NETWORKS = [ip_network("127.0.0.0/8")]
    assert check_url("http://127.0.0.1:8000") == "http://127.0.0.1:8000/"
    assert check_url("http://127.0.0.1:80") == "http://127.0.0.1/"
    for url in ("http://8.8.8.8/", "http://10.0.0.1/", "https://10.0.0.1/", "http://[::1]/"):
        with pytest.raises(InvalidRequest):
            check_url(url)


def test_the_parts_of_a_url() -> None:
    assert parse_url("https://[2606:4700::1111]:8443/x", ()) == Target(
        "https://[2606:4700::1111]:8443/x", "https", "2606:4700::1111", 8443
    )


@hypothesis_settings(deadline=None)
@given(st.text(max_size=60), st.sampled_from(["", "https://", "https://a.example/", "https://a.example:"]))
def test_whatever_is_written_is_a_url_or_refused(text: str, start: str) -> None:
    try:
        spelling = check_url(start + text)
    except InvalidRequest:
        return
    assert spelling.isascii()
    assert check_url(spelling) == spelling
