"""Paying out in the demo: approved, filed, answered by the bank, and once more what it refused."""

from collections.abc import Callable
from datetime import date

from django.contrib.auth.models import User

from ledger.actors import Actor
from settlements.models import DebtorAccount, Payout, PayoutFile
from settlements.rails.bank_ids import bank_id
from settlements.rails.simulated_bank import SimulatedBank
from settlements.services.payout_files import hand_over_payout_file, make_payout_files
from settlements.services.payouts import approve_payouts
from settlements.services.status_reports import import_status_report

MAKER, CHECKER = "maker@example.com", "checker@example.com"
# Whose payout the bank refuses at first, because it came too late, and whose comes back.
REFUSED, REFUSED_CODE = "bike-shop", "TM01"
RETURNED, RETURNED_CODE = "tea-house", "AC04"

Say = Callable[[str], None]


def pay_out(bank: SimulatedBank, day: date, *, say: Say) -> list[str]:
    """All that is due goes to the bank; what it refuses goes again, and one payout comes back.

    Returns the ids of the payouts that came back.
    """
    sent = _send_all(bank, day, refused=REFUSED, say=say)
    _send_all(bank, day, refused="", say=say)
    coming_back = [
        payout for payout in sent if payout.merchant.code == RETURNED and payout.currency == "EUR"
    ][:1]
    for payout in coming_back:
        bank.give_back(bank_id(payout.public_id), RETURNED_CODE)
    say(f"the bank gives back {len(coming_back)} payout of {RETURNED}: {RETURNED_CODE}")
    return [payout.public_id for payout in coming_back]


def _send_all(bank: SimulatedBank, day: date, *, refused: str, say: Say) -> list[Payout]:
    """Approve, file and hand over what is due, and take the bank's answers in."""
    due = list(Payout.objects.filter(status=Payout.Status.PENDING_APPROVAL))
    approvals = approve_payouts(due, actor=_person(CHECKER))
    say(f"payouts: {len(approvals.approved)} approved by {CHECKER}")
    files: list[PayoutFile] = []
    for debtor in DebtorAccount.objects.filter(is_active=True):
        files += make_payout_files(
            currency=debtor.currency,
            execution_on=day,
            format=PayoutFile.Format.PAIN_001,
            actor=_person(MAKER),
        )
    for file in files:
        order = hand_over_payout_file(file, actor=_person(MAKER))
        unwanted = file.attempts.filter(payout__merchant__code=refused)
        names = unwanted.values_list("payout__public_id", flat=True)
        answer = bank.take(order, refused=list(map(bank_id, names)), code=REFUSED_CODE)
        outcome = import_status_report(answer, actor=_person(MAKER))
        say(
            f"payout file {file}: {file.payout_count} of {file.debtor.currency};"
            f" the bank's pain.002 says {outcome.file.status}, {len(outcome.rejected)} refused"
        )
    return list(Payout.objects.filter(attempts__file__in=files).select_related("merchant"))


def _person(name: str) -> Actor:
    return Actor.user(User.objects.get(username=name))
