"""Books broken behind the triggers' backs, and what `check_invariants` is to say of each breach."""

from django.db import connection

# What is forged, what finds it, and what is said of the first offender.
BREACHES = {
    "an entry of one side": (
        "UPDATE ledger_posting SET amount = amount + 1 WHERE direction = 'debit' AND entry_id ="
        " (SELECT min(id) FROM ledger_journalentry)",
        {"books_balance": "EUR: debits", "entries_balance": "debits are not credits"},
    ),
    "an entry without its postings": (
        "DELETE FROM ledger_posting WHERE entry_id ="
        " (SELECT id FROM ledger_journalentry WHERE kind = 'transfer')",
        {"entries_balance": "it has no postings", "balances_add_up": "debits"},
    ),
    "a balance that grew by itself": (
        "UPDATE ledger_accountbalance SET debits = debits + 7 WHERE account_id ="
        " (SELECT id FROM ledger_account WHERE code = 'clearing:sim:EUR')",
        {"balances_add_up": "clearing:sim:EUR: debits"},
    ),
    "an entry that says something else": (
        "UPDATE ledger_journalentry SET effective_at = effective_at - interval '1 day'"
        " WHERE kind = 'refund'",
        {"ledger_proved": "seal: It is not what was sealed."},
    ),
    "a seal that was rewritten": (
        "UPDATE ledger_seal SET hash = sha256(hash)",
        {"ledger_proved": "seal 1: anchor: It was anchored with another hash"},
    ),
    "an accepted payment that is gone": (
        "DELETE FROM payments_payment WHERE idempotency_key = 'by-api'",
        {"acceptances_kept": "create_payment by-api: pay_", "charged_once": "", "events_told": ""},
    ),
    "an accepted payment of another amount": (
        "UPDATE payments_payment SET amount = 100000 WHERE idempotency_key = 'by-api'",
        {"acceptances_kept": "is 100000 EUR, answered was 10000 EUR"},
    ),
    "a payment that is not booked": (
        "DELETE FROM ledger_journalentry WHERE reference = (SELECT public_id FROM payments_payment"
        " WHERE idempotency_key = 'by-api')",
        {"charged_once": "it is not booked (payment)", "entries_balance": "have no entry"},
    ),
    "a payment that is booked twice": (
        "UPDATE ledger_journalentry SET reference = (SELECT public_id FROM payments_payment"
        " WHERE idempotency_key = 'plain') WHERE reference = (SELECT public_id FROM"
        " payments_payment WHERE idempotency_key = 'by-api')",
        {
            "charged_once": "it is booked 2 times",
            "ledger_proved": "seal: It is not what was sealed.",
        },
    ),
    "a dispute that is not booked": (
        "UPDATE ledger_journalentry SET reference = 'dp_x' WHERE kind = 'dispute'",
        {
            "charged_once": "it is not booked (dispute)",
            "ledger_proved": "seal: It is not what was sealed.",
        },
    ),
    "a payment that the gateway never charged": (
        "DELETE FROM payments_simulatedoperation WHERE key = (SELECT public_id FROM"
        " payments_payment WHERE idempotency_key = 'plain')",
        {"charged_once": "it is SUCCEEDED, the simulator moved nothing"},
    ),
    "a payment that was charged twice": (
        "INSERT INTO payments_simulatedoperation (gateway, key, kind, merchant, source, reference,"
        " parent_reference, amount, currency, outcome, decline_code) SELECT gateway, key || ':2',"
        " kind, merchant, source, reference, '', amount, currency, outcome, '' FROM"
        " payments_simulatedoperation WHERE kind = 'refund'",
        {"charged_once": "the simulator moved it 2 times"},
    ),
    "a capture of another amount": (
        "UPDATE payments_simulatedoperation SET amount = amount - 1 WHERE kind = 'capture'",
        {"charged_once": "it is 6000 EUR of sim, the simulator moved 5999 EUR of sim"},
    ),
    "a failed payment that was charged": (
        "UPDATE payments_simulatedoperation SET outcome = 'accepted' WHERE outcome = 'declined'",
        {"charged_once": "it is FAILED, the simulator moved it"},
    ),
    "a charge nobody asked for": (
        "UPDATE payments_simulatedoperation SET key = 'pay_x' WHERE outcome = 'declined'",
        {"charged_once": "pay_x: the simulator was asked for it, we know nothing of it"},
    ),
    "a pending payment that was charged": (
        "UPDATE payments_payment SET status = 'PENDING', amount_captured = 0, effective_at = NULL,"
        " due_at = now() WHERE idempotency_key = 'by-api'",
        {
            "charged_once": "it is PENDING and the simulator was asked",
            "events_told": "it is not over, told is payment.succeeded",
            "states_legal": "it is PENDING after 1 attempts",
        },
    ),
    "a wallet below its floor": (
        "UPDATE ledger_account SET floor = 99999 WHERE code = 'tills'",
        {"floors_hold": "tills: 5000 is available, its floor is 99999"},
    ),
    "money pending without a hold": (
        "UPDATE ledger_accountbalance SET pending_debits = 5 WHERE account_id ="
        " (SELECT id FROM ledger_account WHERE code = 'tills')",
        {"floors_hold": "debits 5 and credits 0 are pending"},
    ),
    "a row held past its lease": (
        "UPDATE payments_payment SET status = 'PROCESSING', holder = 77, due_at = now(),"
        " leased_until = now() - interval '40 seconds' WHERE idempotency_key = 'waiting'",
        {"nothing_stuck": "heartbeat 77 holds it still"},
    ),
    "a row that nobody will take": (
        "UPDATE payments_payment SET due_at = NULL WHERE idempotency_key = 'waiting'",
        {"nothing_stuck": "it is open, not due and not parked"},
    ),
    "a row that is over and held": (
        "UPDATE payments_refund SET holder = 77, leased_until = now() + interval '1 minute'",
        {"nothing_stuck": "it is over and still due or held"},
    ),
    "an end nobody was told of": (
        "DELETE FROM payments_event WHERE type = 'refund.succeeded'",
        {"events_told": "it is refund.succeeded, told is nothing"},
    ),
    "an end told twice": (
        "INSERT INTO payments_event (public_id, merchant_id, type, subject, sequence, data)"
        " SELECT 'evt_2', merchant_id, type, subject, 2, data FROM payments_event"
        " WHERE type = 'payment.failed'",
        {"events_told": "2 events say that it is over"},
    ),
    "events with a gap": (
        "UPDATE payments_event SET sequence = 3 WHERE type = 'dispute.won'",
        {"events_told": "2 events, the last of them is number 3"},
    ),
    "an event of a thing that is not there": (
        "UPDATE payments_event SET subject = 're_x' WHERE type = 'refund.succeeded'",
        {"events_told": "events tell of what is not there"},
    ),
    "something told after the end": (
        "INSERT INTO payments_event (public_id, merchant_id, type, subject, sequence, data)"
        " SELECT 'evt_2', merchant_id, 'payment.capture_failed', subject, 2, data FROM"
        " payments_event WHERE type = 'payment.failed'",
        {"events_told": "something was told after payment.failed"},
    ),
    "refunds that are not counted": (
        "UPDATE payments_payment SET amount_refunded = 0 WHERE amount_refunded > 0",
        {"states_legal": "0 is refunded, its refunds are 2000"},
    ),
    "a payment through no gateway": (
        "UPDATE payments_payment SET gateway_id = 0 WHERE idempotency_key = 'waiting'",
        {"states_legal": "through gateway 0, which are not both there"},
    ),
    "an authorisation nobody asked for": (
        "UPDATE payments_payment SET status = 'AUTHORIZED', due_at = now(), attempts = 0"
        " WHERE idempotency_key = 'waiting'",
        {"states_legal": "it is AUTHORIZED with automatic capture"},
    ),
    "a refund of what failed": (
        "UPDATE payments_refund SET payment_id ="
        " (SELECT id FROM payments_payment WHERE status = 'FAILED')",
        {"states_legal": "its payment is FAILED"},
    ),
    "a transfer completed by another's entry": (
        "UPDATE payments_transfer SET journal_entry = 'je_x' WHERE refund_of_id IS NULL",
        {"states_legal": "it is COMPLETED with entry je_"},
    ),
    "a failed transfer that moved": (
        "UPDATE payments_transfer SET status = 'FAILED', journal_entry = ''"
        " WHERE refund_of_id IS NOT NULL",
        {"states_legal": "", "events_told": "it is transfer.failed, told is transfer.completed"},
    ),
    "a batch that is not its lines": (
        "UPDATE settlements_settlementbatch SET gross = gross + 1, net = net + 1,"
        " payout_amount = payout_amount + 1",
        {"states_legal": "its lines are"},
    ),
    "a line of another amount": (
        "UPDATE settlements_settlement SET gross = gross + 1, net = net + 1"
        " WHERE refund_id IS NOT NULL",
        {"states_legal": "it is not what batch sb_"},
    ),
    "a payout that is not booked": (
        "UPDATE ledger_journalentry SET reference = 'sb_x' WHERE kind = 'settlement'",
        {
            "states_legal": "booked (settlement) is nothing",
            "ledger_proved": "seal: It is not what was sealed.",
        },
    ),
}


def forge(statement: str) -> None:
    """Run SQL as somebody who switched the triggers off."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(statement)
        assert cursor.rowcount > 0, "Nothing was forged."
        cursor.execute("SET LOCAL session_replication_role = origin")


def drop(table: str, constraint: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {constraint}")


def forget_index(name: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(f"DROP INDEX {name}")
