"""The landing page: each figure is the list behind it, and nobody sees what he may not."""

import re
from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from config.back_office.dashboard import Dashboard
from config.back_office.figures import Figure
from config.back_office.lights import Light
from config.demo import day
from config.demo.seed import seed_demo
from ledger.actors import Actor
from ledger.money import Money
from payments.models import JobRun, ParkedWork
from reconciliation.models import AccountProof, Discrepancy, SourceAccount
from reconciliation.selectors import latest_day, tie_outs
from reconciliation.services.sign_offs import prepare_sign_off
from reconciliation.services.write_offs import propose_write_off
from tests.stories.test_business_day import take_payments
from tests.support.own_names import forget_redis_keys

QUERIES_MAX = 20
MAKER = Actor.system("maker")
BOOKS = {
    *("ledger_posting", "ledger_journalentry", "ledger_daytotal"),
    *("reconciliation_match", "settlements_settlement"),
}
LARGE = {
    *BOOKS,
    *("payments_payment", "payments_refund", "payments_gatewayattempt"),
    *("reconciliation_statementline", "settlements_settlementbatch", "settlements_payout"),
}
WRITES = ("SAVEPOINT", "RELEASE", "INSERT", "UPDATE")


@pytest.fixture(scope="module")
def settled_day(django_db_setup: Any, django_db_blocker: Any) -> Iterator[None]:
    """A business day with faults, and something of everything that waits for somebody."""
    with django_db_blocker.unblock(), transaction.atomic():
        forget_redis_keys()
        seed_demo()
        take_payments("dashboard")
        day.close(seed=1, say=lambda _: None)
        _let_things_wait()
        yield
        transaction.set_rollback(True)


def _let_things_wait() -> None:
    unexplained = Discrepancy.objects.get(type="unexplained_bank_line")
    propose_write_off(
        unexplained, kind="booking", reason_code="other", reason="Nobody knows.", actor=MAKER
    )
    Discrepancy.objects.filter(type="orphan_line").update(since=date(2020, 1, 1))
    Discrepancy.objects.filter(type="fee_mismatch").update(
        since=timezone.now().date() - timedelta(days=5)
    )
    account = SourceAccount.objects.get(currency="USD", source__code="simbank")
    prepare_sign_off(account, tie_outs_day(), actor=MAKER)
    for queue, row_id in (("payments_payment", 1), ("payments_payment", 2), ("x", 1)):
        ParkedWork.objects.create(
            queue=queue, row_id=row_id, subject="s", problem="p", attempts=1, deaths=1, failures=0
        )
    for period in ("2026-03-18", "2026-03-19"):
        JobRun.objects.create(job="verify", business_period=period, status="DONE", result="holds")


def tie_outs_day() -> date:
    latest = latest_day()
    assert latest is not None
    return latest


@pytest.fixture
def root(settled_day: None, django_db_blocker: Any) -> Iterator[Client]:
    with django_db_blocker.unblock(), transaction.atomic():
        yield client_of(User.objects.create_superuser("root@example.com"))
        transaction.set_rollback(True)


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def shown(client: Client) -> Dashboard:
    response = client.get(reverse("admin:index"))
    assert response.status_code == 200
    board: Dashboard = response.context["dashboard"]
    return board


def figures_of(board: Dashboard) -> list[Figure]:
    found = [*board.waiting, *board.stuck, *(board.pipeline or []), *(board.parked or [])]
    if board.discrepancies:
        section = board.discrepancies
        found += [section.total, *section.age_totals, *section.money]
        for row in section.rows:
            found += [row.all, *row.ages, *row.money]
    if board.payments:
        found += [*board.payments.states, *(each.figure for each in board.payments.columns)]
    return found


def board_totals(figures: list[Figure]) -> list[Figure]:
    """Those that are not of one type of discrepancy only."""
    return [figure for figure in figures if "type__exact" not in figure.url]


def test_every_figure_is_the_number_of_rows_of_its_list(root: Client) -> None:
    figures = figures_of(shown(root))

    counts = {figure.label: figure.count for figure in board_totals(figures)}
    assert counts["Write-offs to decide"] == counts["Days to sign"] == 1
    assert counts["Nobody's discrepancies"] == counts["Open"] == 10
    assert counts["Parked work"] == 3
    assert (counts["0-1"], counts["2-7"], counts["over-90"]) == (8, 1, 1)
    for figure in figures:
        listed = root.get(figure.url).context["cl"]
        assert (figure.label, listed.result_count) == (figure.label, figure.count), figure.url


def test_money_at_stake_is_the_sum_of_its_list(root: Client) -> None:
    board = shown(root)
    assert board.discrepancies is not None

    for figure in board.discrepancies.money:
        rows = root.get(figure.url).context["cl"].queryset
        assert figure.money == (Money(sum(abs(each.amount) for each in rows), figure.label),)


def test_money_under_way_is_the_sum_of_its_list(root: Client) -> None:
    board = shown(root)
    assert board.pipeline is not None

    for figure in board.pipeline:
        rows = list(root.get(figure.url).context["cl"].queryset)
        for money in figure.money:
            amounts = [
                getattr(each, "net", None) if hasattr(each, "net") else each.amount
                for each in rows
                if each.currency == money.currency
            ]
            assert sum(amounts) == money.amount


def test_lights_say_what_the_report_behind_them_says(root: Client) -> None:
    board = shown(root)
    assert board.lights is not None

    proofs = {proof.account.pk: proof for proof in tie_outs(tie_outs_day())}
    assert len(board.lights) == len(proofs) == 6
    for light in board.lights:
        proof, said = proofs[light.account.pk], light.figures
        assert list(said.values()) == [proof.book, proof.statement, proof.open, proof.difference]
        report = root.get(light.url).context["report"]
        assert {name: money.text for name, money in said.items()} == {
            name: report[name] for name in ("book", "statement", "open", "difference")
        }
        assert light.proof is not None
        assert light.proof.open_items == len(report["open_items"])
        assert light.tone == ("warn" if light.proof.open_items else "good")


def test_lights_are_worked_out_where_somebody_asks_for_it(root: Client) -> None:
    AccountProof.objects.all().delete()

    board = shown(root)
    assert board.lights is not None
    assert [light.said for light in board.lights] == ["Not worked out yet"] * 6
    page = root.get(reverse("tie_outs"))

    board = shown(root)
    assert board.lights is not None
    assert Counter(light.said for light in board.lights) == {
        "Ties out": 3,
        "Explained by open items": 3,
    }
    assert page.context["lights"] == board.lights


def test_light_is_honest_about_what_it_does_not_know(root: Client) -> None:
    newest = tie_outs_day()
    account = SourceAccount.objects.get(currency="USD", source__code="simbank")
    proof = account.proof

    def said(day: date, until: date | None = newest, off: int = 0) -> tuple[str, str]:
        proof.day, proof.open_items, proof.explained = day, 0, 0
        proof.book = proof.statement + off
        light = Light(account, newest, proof, until)
        return light.tone, light.said

    before = newest - timedelta(days=1)
    assert said(newest) == ("good", "Ties out")
    assert said(newest, off=1) == ("bad", "Does not tie out")
    assert said(before) == ("warn", f"As of {before}; newer statements are not worked out yet")
    assert said(before, off=1) == ("bad", "Does not tie out")
    assert said(newest, until=before) == ("warn", f"No statement since {before}")
    assert said(newest, until=None) == ("warn", "No statement yet")


def test_page_has_an_index_for_whatever_it_reads_of_large_tables(root: Client) -> None:
    """With an empty Redis too, and where the planner may choose it."""
    forget_redis_keys()
    with CaptureQueriesContext(connection) as asked:
        root.get(reverse("admin:index"))

    read = set()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        for query in (each["sql"] for each in asked if not each["sql"].startswith(WRITES)):
            cursor.execute(f"EXPLAIN (COSTS OFF) {query}")
            plan = "\n".join(line for (line,) in cursor.fetchall())
            read |= {table for table in LARGE if re.search(rf" on {table}\b", plan)}
            assert [table for table in LARGE if re.search(rf"Seq Scan on {table}\b", plan)] == []
    assert read & BOOKS == set()


def test_page_takes_few_queries_and_no_script_stands_in_it(root: Client) -> None:
    root.get(reverse("admin:index"))
    with CaptureQueriesContext(
        connection,
    ) as asked:
        page = root.get(reverse("admin:index"))

    assert len(asked) <= QUERIES_MAX, [each["sql"][:120] for each in asked]
    policy = page["Content-Security-Policy"]
    assert "script-src 'self' 'unsafe-eval'" in policy
    text = page.content.decode()
    assert "<script>" not in text
    assert "//cdn" not in text


def test_viewer_sees_the_sections_he_may_see(settled_day: None, root: Client) -> None:
    clerk = User.objects.create_user("clerk", is_staff=True)
    assert figures_of(shown(client_of(clerk))) == []
    clerk.user_permissions.set(
        Permission.objects.filter(codename__in=["view_discrepancy", "change_discrepancy"])
    )
    board = shown(client_of(clerk))

    assert [figure.label for figure in board.waiting] == [
        "My discrepancies",
        "Nobody's discrepancies",
    ]
    assert board.discrepancies is not None
    assert (board.payments, board.pipeline, board.lights, board.runs) == (None,) * 4


def test_who_asked_is_not_told_that_it_waits_for_him(settled_day: None, root: Client) -> None:
    boss = User.objects.create_superuser("boss@example.com")
    own = Discrepancy.objects.filter(type="orphan_line").get()
    propose_write_off(
        own, kind="write_off", reason_code="other", reason="Mine.", actor=Actor.user(boss)
    )

    counts = [
        {figure.label: figure.count for figure in shown(client).waiting}["Write-offs to decide"]
        for client in (client_of(boss), root)
    ]
    assert counts == [1, 2]


def test_empty_platform_says_what_to_do(db: None) -> None:
    page = client_of(User.objects.create_superuser("root@example.com")).get("/admin/")

    text = page.content.decode()
    assert "Send a statement file" in text
    assert "No payment was taken in these days." in text
    assert "Nothing is open" in text
    assert "No job ran yet." in text
