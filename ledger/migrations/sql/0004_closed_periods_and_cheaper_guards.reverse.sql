ALTER TABLE ledger_accountbalance RESET (
    fillfactor, autovacuum_vacuum_threshold, autovacuum_vacuum_scale_factor,
    autovacuum_vacuum_cost_delay
);
ALTER TABLE ledger_journalentry DROP CONSTRAINT ledger_journalentry_reverses_fk;
ALTER TABLE ledger_posting DROP CONSTRAINT ledger_posting_account_fk;
ALTER TABLE ledger_posting DROP CONSTRAINT ledger_posting_entry_fk;
DROP TRIGGER ledger_periods_close_in_order ON ledger_accountingperiod;
DROP FUNCTION ledger_check_periods();
DROP TRIGGER ledger_period_is_fixed ON ledger_accountingperiod;
DROP TRIGGER ledger_hold_is_fixed ON ledger_hold;
DROP TRIGGER ledger_append_only ON ledger_holdcapture;
DROP TRIGGER ledger_append_only ON ledger_seal;

CREATE OR REPLACE FUNCTION ledger_check_postings() RETURNS trigger LANGUAGE plpgsql
SET plan_cache_mode = force_custom_plan AS $$
DECLARE
    entry bigint;
BEGIN
    SELECT new_posting.entry_id INTO entry
    FROM new_posting LEFT JOIN ledger_account AS account ON account.id = new_posting.account_id
    GROUP BY new_posting.entry_id, account.currency
    HAVING account.currency IS NULL
        OR sum(CASE direction WHEN 'debit' THEN amount ELSE -amount END) <> 0
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'journal entry % does not balance', entry
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_entry_balances';
    END IF;

    SELECT posted.entry_id INTO entry
    FROM (
        SELECT entry_id, count(*) AS postings, min(position) AS low, max(position) AS high
        FROM new_posting GROUP BY entry_id
    ) AS posted
    LEFT JOIN ledger_journalentry ON ledger_journalentry.id = posted.entry_id
    WHERE posted.postings IS DISTINCT FROM posting_count
        OR posted.low <> 0 OR posted.high <> posting_count - 1
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'postings of journal entry % must all come with it', entry
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_entry_complete';
    END IF;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION ledger_check_entries() RETURNS trigger LANGUAGE plpgsql
SET plan_cache_mode = force_custom_plan AS $$
BEGIN
    IF EXISTS (
        SELECT FROM new_entry
        WHERE NOT EXISTS (SELECT FROM ledger_posting WHERE entry_id = new_entry.id)
    ) THEN
        RAISE EXCEPTION 'a journal entry needs its postings in the same statement'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_entry_complete';
    END IF;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION ledger_check_floor() RETURNS trigger LANGUAGE plpgsql
SET plan_cache_mode = force_custom_plan AS $$
DECLARE
    broken text;
BEGIN
    SELECT account.code INTO broken
    FROM new_balance
    JOIN old_balance USING (account_id)
    JOIN ledger_account AS account ON account.id = account_id
    CROSS JOIN LATERAL (
        SELECT CASE WHEN account.type IN ('asset', 'expense') THEN 1 ELSE -1 END AS sign
    ) AS normal
    WHERE sign * (new_balance.debits - new_balance.credits) < account.floor
        AND sign * (new_balance.debits - new_balance.credits)
            < sign * (old_balance.debits - old_balance.credits)
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'balance of account % would be under its floor', broken
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_balance_floor';
    END IF;
    RETURN NULL;
END $$;
