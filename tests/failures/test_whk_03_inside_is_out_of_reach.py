"""WHK-03 and 04: no URL and no name server leads us inside; nobody there is knocked at."""

import ipaddress
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.conf import LazySettings

from payments import webhook_urls
from payments.models import WebhookAttempt
from payments.services.webhook_deliveries import deliver_webhooks
from payments.services.webhook_endpoints import EndpointWish, change_endpoint
from payments.webhook_calls import Problem, call
from payments.webhook_urls import EndpointUrlRefused, check_url, is_allowed
from tests.factories import MerchantFactory
from tests.support.receivers import ACTOR, happen, listening, receiver, resolver

# Where they lead: {port} is the canary's, on this machine.
LITERALS = [
    "https://127.0.0.1:{port}/",
    "https://127.1.2.3:{port}/",
    "https://0.0.0.0:{port}/",
    "https://0.1.2.3/",
    "https://10.0.0.1/",
    "https://100.64.0.1/",
    "https://168.63.129.16/",
    "https://169.254.169.254/latest/meta-data/",
    "https://172.16.0.1/",
    "https://192.0.0.8/",
    "https://192.0.2.1/",
    "https://192.88.99.1/",
    "https://192.168.0.1/",
    "https://198.18.0.1/",
    "https://198.51.100.1/",
    "https://203.0.113.1/",
    "https://224.0.0.1/",
    "https://240.0.0.1/",
    "https://255.255.255.255/",
    "https://[::]:{port}/",
    "https://[::1]:{port}/",
    "https://[::127.0.0.1]:{port}/",
    "https://[::ffff:127.0.0.1]:{port}/",
    "https://[::ffff:7f00:1]:{port}/",
    "https://[::ffff:169.254.169.254]/",
    "https://[64:ff9b::7f00:1]/",
    "https://[64:ff9b::a9fe:a9fe]/",
    "https://[64:ff9b:1::7f00:1]/",
    "https://[2001::1]/",
    "https://[2001:db8::1]/",
    "https://[2002:7f00:1::]/",
    "https://[fc00::1]/",
    "https://[fd00:ec2::254]/",
    "https://[fe80::1]/",
    "https://[fe80::1%25lo]/",
    "https://[fec0::1]/",
    "https://[ff02::1]/",
]
TRICKS = [
    "https://2130706433:{port}/",
    "https://017700000001:{port}/",
    "https://0x7f000001:{port}/",
    "https://0x7f.1:{port}/",
    "https://127.1:{port}/",
    "https://127.0.1:{port}/",
    "https://0177.0.0.1:{port}/",
    "https://127.0.0.01:{port}/",
    "https://0x7f.0x0.0x0.0x1:{port}/",
    "https://127.0.0.1.:{port}/",
    "https://localhost.:{port}/",
    "https://①②⑦.⓪.⓪.①:{port}/",
    "https://ｌocalhost:{port}/",
    "https://bücher.example/",
    "https://user@shop.example/",
    "https://user:password@shop.example/",
    "https://shop.example@127.0.0.1:{port}/",
    "https://127.0.0.1:{port}#@shop.example/",
    "https://127.0.0.1:{port}\\@shop.example/",
    "https://shop.example\\@127.0.0.1:{port}/",
    "https://127.0.0.1%00.shop.example/",
    "https://127.0.0.1%2f@shop.example/",
    "https://shop.example:22/",
    "https://shop.example:6379/",
    "https://shop.example:0/",
    "https://shop.example:65536/",
    "https://shop.example:4 43/",
    "https://shop.example:+443/",
    "https://shop.example:/",
    "https://shop.example:0443/",
    "https://shop.example/\r\nHost: inside",
    "https://shop.example/\x00",
    "https://shop.exam\tple/",
    " https://shop.example/",
    "https:///127.0.0.1:{port}/",
    "https:/127.0.0.1:{port}/",
    "https:127.0.0.1:{port}/",
    "//127.0.0.1:{port}/",
    "http://shop.example/",
    "http://127.0.0.1:{port}/",
    "ftp://shop.example/",
    "file:///etc/passwd",
    "gopher://127.0.0.1:{port}/_",
    "unix:///run/postgres.sock",
    "javascript:alert(1)",
    "https://",
    "https://.example/",
    "https://-shop.example/",
    "https://shop..example/",
    "https://" + "a" * 64 + ".example/",
    "https://shop.example/" + "a" * 2_000,
    "https://[::1/",
    "https://::1/",
    "",
]
INSIDE = {
    "loop.example": ["127.0.0.1"],
    "loop6.example": ["::1"],
    "mapped.example": ["::ffff:127.0.0.1"],
    "any.example": ["0.0.0.0"],
    "private.example": ["192.168.1.1"],
    "metadata.example": ["169.254.169.254"],
    "nat64.example": ["64:ff9b::a9fe:a9fe"],
    "6to4.example": ["2002:7f00:1::1"],
    "mixed.example": ["93.184.215.14", "127.0.0.1"],
    "mixed-last.example": ["93.184.215.14", "2606:4700::1111", "fd00::1"],
    "127.0.0.1.nip.example": ["127.0.0.1"],
    "localhost": ["127.0.0.1", "::1"],
}
PUBLIC = {
    "shop.example": ["93.184.215.14"],
    "six.example": ["2606:4700::1111", "93.184.215.14"],
}


@pytest.fixture(autouse=True)
def production(settings: LazySettings) -> None:
    settings.WEBHOOK_ALLOW_HTTP = False
    settings.WEBHOOK_ALLOWED_NETWORKS = []
    settings.WEBHOOK_PORTS = {443, 8443}


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("socket.getaddrinfo", resolver(**INSIDE, **PUBLIC))


@contextmanager
def canary() -> Iterator[tuple[int, list[object]]]:
    """A port of this machine, on every address of it, and whoever has knocked there."""
    knocks: list[object] = []
    with socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True) as listener:

        def listen() -> None:
            while True:
                try:
                    connection, peer = listener.accept()
                except OSError:
                    return
                knocks.append(peer)
                connection.close()

        thread = threading.Thread(target=listen, daemon=True)
        thread.start()
        try:
            yield listener.getsockname()[1], knocks
        finally:
            # So that who has knocked before has been heard.
            with socket.create_connection(listener.getsockname()[:2]):
                pass
            while not knocks:
                thread.join(0.01)
            knocks.pop()
            listener.shutdown(socket.SHUT_RDWR)


def test_whk_03_corpus_is_large_enough() -> None:
    assert len({*LITERALS, *TRICKS, *INSIDE}) >= 60


@pytest.mark.parametrize("url", [*LITERALS, *TRICKS, *(f"https://{name}/" for name in INSIDE)])
def test_whk_03_url_is_refused_at_creation_and_at_delivery(
    url: str, names: None, settings: LazySettings
) -> None:
    with canary() as (port, knocks):
        url = url.replace("{port}", str(port))
        for ports in ({443, 8443}, range(1, 65_536)):  # with every port open as well
            settings.WEBHOOK_PORTS = ports
            if ports != {443, 8443} and url.startswith("https://shop.example:"):
                continue
            with pytest.raises(EndpointUrlRefused) as refused:
                check_url(url)
            got = call(url, headers={}, body=b"{}")
            assert (got.problem, got.status_code) == (Problem.REFUSED, None)
            assert refused.value.code == "endpoint_url_refused"
        assert knocks == []


def test_whk_03_canary_hears() -> None:
    """So that the silence of the others says something."""
    with canary() as (port, knocks):
        socket.create_connection(("127.0.0.1", port)).close()
        while not knocks:
            pass
        assert len(knocks) == 1


@pytest.mark.parametrize(
    "url",
    [
        "https://shop.example/",
        "https://SHOP.example:443/Hook?a=b&c=%20",
        "https://six.example:8443",
        "https://shop.example?x",
        "https://xn--bcher-kva.example/",  # not found yet
        "https://93.184.215.14/",
        "https://[2606:4700::1111]/",
        "https://a_b.c-d.example/~hook;v=1/(x)",
    ],
)
def test_whk_03_public_urls_are_fine(url: str, names: None) -> None:
    check_url(url)


@pytest.mark.parametrize("network", webhook_urls._REFUSED, ids=str)
def test_whk_03_refused_networks_are_refused_to_both_ends(network: ipaddress.IPv4Network) -> None:
    assert not is_allowed(network[0])
    assert not is_allowed(network[-1])
    if network.version == 4:
        assert not is_allowed(ipaddress.ip_address(f"::ffff:{network[-1]}"))


def test_whk_03_listed_network_is_open_and_its_use_is_logged(
    names: None, settings: LazySettings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.WEBHOOK_ALLOWED_NETWORKS = [ipaddress.ip_network("192.168.1.0/24")]

    check_url("https://private.example/")
    assert "private.example is in WEBHOOK_ALLOWED_NETWORKS" in caplog.text
    for other in ("https://192.168.2.1/", "https://loop.example/", "https://metadata.example/"):
        with pytest.raises(EndpointUrlRefused):
            check_url(other)


def test_whk_03_endpoint_inside_is_neither_made_nor_moved_to(
    db: None, names: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    merchant = MerchantFactory()
    with pytest.raises(EndpointUrlRefused):
        listening(merchant, "https://loop.example/")
    endpoint, _ = listening(merchant, "https://shop.example/")
    with pytest.raises(EndpointUrlRefused):
        change_endpoint(endpoint, actor=ACTOR, url="https://metadata.example/")

    assert EndpointWish(endpoint.url, ["*"]).url == "https://shop.example/"


def test_whk_03_proxies_of_the_environment_are_not_used(
    settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.WEBHOOK_ALLOWED_NETWORKS = [ipaddress.ip_network("127.0.0.0/8")]
    settings.WEBHOOK_ALLOW_HTTP, settings.WEBHOOK_PORTS = True, range(1, 65_536)
    with receiver() as shop, receiver() as proxy:
        for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        assert call(shop.url, headers={}, body=b"{}").status_code == 200

        assert (len(shop.received), proxy.received) == (1, [])


def test_whk_03_our_own_proxy_gets_everything_and_looks_names_up_itself(
    settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.WEBHOOK_ALLOW_HTTP, settings.WEBHOOK_PORTS = True, {80, 443}
    monkeypatch.setattr("socket.getaddrinfo", resolver())
    with receiver() as proxy:
        settings.WEBHOOK_EGRESS_PROXY = f"http://127.0.0.1:{proxy.port}"
        check_url("http://shop.example/hook")
        assert call("http://shop.example/hook", headers={}, body=b"{}").status_code == 200
        call("https://shop.example/hook", headers={}, body=b"{}")
        with pytest.raises(EndpointUrlRefused):
            check_url("https://169.254.169.254/")

        assert [each.path for each in proxy.received] == [
            "http://shop.example:80/hook",
            "shop.example:443",
        ]


def test_whk_04_name_that_changes_its_mind_is_looked_up_once_for_each_attempt(
    db: None, monkeypatch: pytest.MonkeyPatch, settings: LazySettings
) -> None:
    """Public when the endpoint is made; inside at the delivery; public, then inside, at another."""
    settings.WEBHOOK_PORTS = range(1, 65_536)
    asked: list[str] = []
    public, inside = ["203.0.114.1"], ["127.0.0.1"]
    answers = [public, inside, public, inside]

    def rebinding(host: str, *arguments: object, **options: object) -> list[object]:
        if host == "rebind.example":
            asked.append(host)
            return resolver(**{host: answers[len(asked) - 1]})(host, *arguments, **options)
        return resolver()(host, *arguments, **options)

    tried: list[tuple[str, int]] = []

    def connect(address: tuple[str, int], *_: object, **__: object) -> socket.socket:
        tried.append(address)
        raise ConnectionRefusedError  # what is public is not knocked at by tests either

    monkeypatch.setattr("socket.getaddrinfo", rebinding)
    with canary() as (port, knocks):
        merchant = MerchantFactory()
        listening(merchant, f"https://rebind.example:{port}/")
        (event,) = happen(merchant)
        deliver_webhooks()
        monkeypatch.setattr("socket.create_connection", connect)
        event.deliveries.update(due_at=event.created_at)
        deliver_webhooks()
        monkeypatch.undo()

        assert knocks == []
        assert len(asked) == 3
        assert tried == [("203.0.114.1", port)]
    attempts = WebhookAttempt.objects.values_list("error", flat=True)
    assert list(attempts) == [Problem.REFUSED, Problem.CONNECT]
