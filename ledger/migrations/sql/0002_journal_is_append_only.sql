-- Statement-level triggers: one aggregate per statement, not one call per row. They hold because an
-- entry and all its postings arrive in one statement.
CREATE FUNCTION ledger_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'restrict_violation', CONSTRAINT = 'ledger_append_only';
END $$;

CREATE TRIGGER ledger_append_only BEFORE UPDATE OR DELETE ON ledger_journalentry
FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER ledger_append_only BEFORE UPDATE OR DELETE ON ledger_posting
FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();

CREATE TRIGGER ledger_append_only BEFORE UPDATE OR DELETE ON ledger_auditevent
FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();

-- What an account is never changes, or entries that balanced would not; and it is never deleted.
CREATE TRIGGER ledger_account_is_fixed BEFORE UPDATE OF id, owner, code, type, currency OR DELETE
ON ledger_account FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER ledger_account_is_fixed BEFORE DELETE ON ledger_accountbalance
FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();

-- Debits equal credits per entry and currency, and every posting names an account that exists.
-- Positions 0 .. posting_count - 1 are all taken by the statement that inserts the entry, and they
-- are the primary key: nothing can be added later, balanced or not.
-- Plans are made anew each time: a plan cached while the tables were empty would scan them.
CREATE FUNCTION ledger_check_postings() RETURNS trigger LANGUAGE plpgsql
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

CREATE TRIGGER ledger_entry_balances AFTER INSERT ON ledger_posting
REFERENCING NEW TABLE AS new_posting
FOR EACH STATEMENT EXECUTE FUNCTION ledger_check_postings();

CREATE FUNCTION ledger_check_entries() RETURNS trigger LANGUAGE plpgsql
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

CREATE TRIGGER ledger_entry_complete AFTER INSERT ON ledger_journalentry
REFERENCING NEW TABLE AS new_entry
FOR EACH STATEMENT EXECUTE FUNCTION ledger_check_entries();

-- A posting may not bring a balance under its account's floor, whoever writes it.
CREATE FUNCTION ledger_check_floor() RETURNS trigger LANGUAGE plpgsql
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

CREATE TRIGGER ledger_balance_floor AFTER UPDATE ON ledger_accountbalance
REFERENCING NEW TABLE AS new_balance OLD TABLE AS old_balance
FOR EACH STATEMENT EXECUTE FUNCTION ledger_check_floor();
