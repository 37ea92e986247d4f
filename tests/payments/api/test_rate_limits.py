"""Rate limits: what is left is said, too much is 429, and Redis may be away."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.conf import LazySettings

from config.middleware import rate_class_of
from ledger.ids import new_id
from payments import cache, rate_limits
from payments.rate_limits import RateClass, announce_check, check_rate, policy_of
from tests.factories import ApiKeyFactory
from tests.support.api import Api, assert_problem
from tests.support.servers import OwnValkey, own_valkey

# First of all fixtures, so that it is the last to tidy up, in the Redis of this run again.
pytestmark = pytest.mark.usefixtures("clean_redis")
PLENTY = dict.fromkeys(RateClass, "100000/1")


@pytest.fixture
def limit(settings: LazySettings) -> Iterator[Any]:
    """Sets limits for the test; what it does not name is plenty."""

    def set_to(**limits: str) -> None:
        settings.RATE_LIMITS = {**PLENTY, **limits}
        policy_of.cache_clear()

    set_to()
    yield set_to
    policy_of.cache_clear()
    rate_limits._Own._full_at.clear()


@pytest.fixture
def valkey(settings: LazySettings) -> Iterator[OwnValkey]:
    with own_valkey() as server:
        settings.REDIS_URL = server.url
        yield server
        server.resume()


@pytest.fixture
def api(db: None) -> Api:
    return Api(ApiKeyFactory().secret)


def allowed(identity: str, rate_class: str, times: int) -> int:
    return sum(check_rate(identity, rate_class).is_allowed for _ in range(times))


def test_answers_say_what_is_left(api: Api, limit: Any) -> None:
    limit(reads="10/60", **{"global": "50/60"})

    answers = [api.get("/payments") for _ in range(3)]

    assert [answer["RateLimit"] for answer in answers] == [
        '"reads";r=9;t=6',
        '"reads";r=8;t=12',
        '"reads";r=7;t=18',
    ]
    assert answers[0]["RateLimit-Policy"] == '"reads";q=10;w=60, "global";q=50;w=60'
    assert "Retry-After" not in answers[0]


def test_too_many_requests_are_429_and_do_nothing(api: Api, limit: Any) -> None:
    limit(payments="2/60")
    answers = [api.pay() for _ in range(4)]

    assert [answer.status_code for answer in answers] == [202, 202, 429, 429]
    assert_problem(answers[3], 429, "rate_limited")
    assert answers[3]["RateLimit"] == '"payments";r=0;t=60'
    assert answers[3]["Retry-After"] == "30"
    assert len(api.get("/payments").json()["results"]) == 2


def test_limits_are_per_key_and_class(api: Api, limit: Any) -> None:
    limit(payments="1/60", reads="1/60")
    other = Api(ApiKeyFactory().secret)

    assert [api.pay().status_code for _ in range(2)] == [202, 429]
    assert [api.get("/payments").status_code for _ in range(2)] == [200, 429]
    assert other.pay().status_code == 202


def test_global_limit_is_of_all_together(api: Api, limit: Any) -> None:
    limit(**{"global": "2/60"})
    other = Api(ApiKeyFactory().secret)

    answers = [api.get("/payments"), other.get("/payments"), other.get("/payments")]

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[2]["RateLimit"] == '"global";r=0;t=60'


def test_who_is_refused_by_one_limit_is_not_counted_by_the_other(limit: Any) -> None:
    limit(reads="1/60", **{"global": "3/60"})

    assert allowed("a", "reads", 10) == 1
    assert check_rate("b", "reads").is_allowed
    assert check_rate("c", "reads").is_allowed


def test_probes_are_never_limited(db: None, limit: Any) -> None:
    limit(anonymous="1/60", **{"global": "1/60"})

    assert {Api(None).get("/health").status_code for _ in range(5)} == {200}
    assert Api(None).get("/ready").status_code == 200


def test_guessing_keys_is_limited_by_address(db: None, limit: Any) -> None:
    limit(anonymous="3/60")

    answers = [Api(f"tk_{number}").get("/payments").status_code for number in range(5)]

    assert answers == [401, 401, 401, 429, 429]
    assert Api(None).get("/payments").status_code == 429


def test_address_is_the_one_our_own_proxies_saw(
    db: None, limit: Any, settings: LazySettings
) -> None:
    limit(anonymous="1/60")
    client = Api(None).client

    def ask(forwarded: str) -> int:
        return client.get("/api/v1/payments", headers={"X-Forwarded-For": forwarded}).status_code

    assert [ask("1.1.1.1"), ask("2.2.2.2")] == [401, 429]  # nobody's word counts
    settings.TRUSTED_PROXIES = 1
    assert [ask("9.9.9.9, 1.1.1.1"), ask("8.8.8.8, 1.1.1.1"), ask("2.2.2.2")] == [401, 429, 401]


@pytest.mark.parametrize(
    ("method", "path", "is_known", "expected"),
    [
        ("POST", "/api/v1/payments", True, "payments"),
        ("POST", "/api/v1/payments/batch", True, "payments"),
        ("POST", "/api/v1/transactions/tr_1/refund", True, "payments"),
        ("POST", "/api/v1/api-keys", True, "writes"),
        ("DELETE", "/api/v1/api-keys/key_1", True, "writes"),
        ("GET", "/api/v1/payments", True, "reads"),
        ("POST", "/api/v1/payments", False, "anonymous"),
        ("POST", "/api/v1/auth/token", False, "login"),
        ("POST", "/api/v1/auth/token", True, "login"),
        ("POST", "/api/v1/merchants/register", True, "login"),
        ("GET", "/api/v1/merchants/me", True, "reads"),
    ],
)
def test_route_has_its_class(method: str, path: str, is_known: bool, expected: str) -> None:
    assert rate_class_of(method, path, is_known=is_known) == expected


def test_key_of_the_demo_is_not_limited_below_500_requests_a_second() -> None:
    for rate_class in (RateClass.PAYMENTS, RateClass.WRITES, RateClass.READS, RateClass.GLOBAL):
        policy = policy_of(rate_class)
        assert policy.quota / policy.window_seconds >= 500


def test_bucket_fills_up_evenly(limit: Any) -> None:
    limit(reads="10/1")
    assert allowed("a", "reads", 10) == 10

    time.sleep(0.35)

    assert 3 <= allowed("a", "reads", 10) < 10


def test_threads_together_get_no_more_than_the_quota(limit: Any) -> None:
    limit(reads="50/600")
    with ThreadPoolExecutor(8) as threads:
        shares = threads.map(lambda _: allowed("a", "reads", 20), range(8))

    assert sum(shares) == 50


def test_announced_check_counts_once(valkey: OwnValkey, limit: Any) -> None:
    limit(reads="10/60")

    for left in (9, 8, 7):
        announce_check("a", "reads")
        verdict = check_rate("a", "reads")
        assert verdict.policies[0].left(verdict.full_in) == left


def test_announced_check_of_another_caller_answers_nobody(valkey: OwnValkey, limit: Any) -> None:
    limit(reads="2/60")
    assert allowed("a", "reads", 2) == 2

    announce_check("b", "reads")

    assert not check_rate("a", "reads").is_allowed
    assert cache.ask_briefly(lambda line: line.call("ECHO", "c")) == b"c"


def test_redis_that_lost_its_scripts_and_lines_answers_what_was_announced(
    valkey: OwnValkey, limit: Any
) -> None:
    limit(reads="1/60")
    for lose in (
        valkey.client.script_flush,
        lambda: valkey.client.client_kill_filter(skipme=True),
    ):
        valkey.client.flushall()
        check_rate("b", "reads")
        lose()
        announce_check("a", "reads")
        lose()

        assert check_rate("a", "reads").is_allowed
        assert not check_rate("a", "reads").is_allowed


def test_flushed_redis_is_used_again_at_once(valkey: OwnValkey, limit: Any) -> None:
    limit(reads="2/60")
    assert allowed("a", "reads", 3) == 2

    valkey.client.flushall()
    valkey.client.script_flush()

    assert allowed("a", "reads", 3) == 2
    assert valkey.client.exists("tieout:rate:reads:a")


def test_buckets_are_forgotten_when_they_are_full(valkey: OwnValkey, limit: Any) -> None:
    limit(reads="10/60")
    check_rate("a", "reads")

    assert 0 < valkey.client.pttl("tieout:rate:reads:a") <= 6_001


@pytest.mark.parametrize("trouble", ["kill", "pause"])
def test_without_redis_each_process_lets_a_part_through(
    valkey: OwnValkey, limit: Any, api: Api, trouble: str
) -> None:
    limit(reads="8/60")
    assert api.get("/payments")["RateLimit-Policy"].startswith('"reads";q=8')
    getattr(valkey, trouble)()

    began_at = time.monotonic()
    answers = [api.get("/payments") for _ in range(4)]
    seconds = time.monotonic() - began_at

    assert [answer.status_code for answer in answers] == [200, 200, 429, 429]
    assert answers[0]["RateLimit-Policy"].startswith('"reads";q=2;w=60')
    assert seconds < 1  # one of them waited


@pytest.mark.parametrize("trouble", ["kill", "pause"])
def test_without_redis_nobody_logs_in(
    valkey: OwnValkey, limit: Any, api: Api, trouble: str
) -> None:
    getattr(valkey, trouble)()

    for path in ("/auth/token", "/merchants/register"):
        response = api.post(path, {"email": "a@example.com", "password": "x"})

        assert_problem(response, 503, "unavailable")
        assert response["Retry-After"] == "1"


def test_redis_that_is_back_counts_again(
    valkey: OwnValkey, limit: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache, "BREAK_SECONDS", 0)
    limit(reads="8/60")
    valkey.pause()
    assert check_rate("a", "reads").policies[0].quota == 2

    valkey.resume()

    assert check_rate(new_id("x"), "reads").policies[0].quota == 8
