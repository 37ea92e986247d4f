-- What is append-only or fixed from here on, and checks of a statement in one pass each.
CREATE TRIGGER ledger_append_only BEFORE UPDATE OR DELETE ON ledger_seal
FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER ledger_append_only BEFORE UPDATE OR DELETE ON ledger_holdcapture
FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER ledger_hold_is_fixed
BEFORE UPDATE OF id, public_id, idempotency_key, account_id, reference, amount OR DELETE
ON ledger_hold FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER ledger_period_is_fixed BEFORE UPDATE OF id, code, starts_at, ends_at OR DELETE
ON ledger_accountingperiod FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();

-- One pass over the postings of a statement: every posting names an account and an entry that
-- exist, debits equal credits per entry and currency, and an entry's postings all come with it:
-- positions 0 .. posting_count - 1 are taken by this statement, and they are the primary key, so
-- nothing can be added later, balanced or not.
-- Plans are kept, and made without knowing the tables: always by index, however empty a table was
-- when it was first asked and however small the first batch.
CREATE OR REPLACE FUNCTION ledger_check_postings() RETURNS trigger LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
    wrong record;
BEGIN
    SELECT posted.entry_id, bool_or(currency IS NULL OR difference <> 0) AS is_unbalanced INTO wrong
    FROM (
        SELECT new_posting.entry_id, account.currency, count(*) AS postings,
               min(position) AS low, max(position) AS high,
               sum(CASE direction WHEN 'debit' THEN amount ELSE -amount END) AS difference
        FROM new_posting LEFT JOIN ledger_account AS account ON account.id = new_posting.account_id
        GROUP BY new_posting.entry_id, account.currency
    ) AS posted
    LEFT JOIN ledger_journalentry AS entry ON entry.id = posted.entry_id
    GROUP BY posted.entry_id, entry.posting_count
    HAVING bool_or(currency IS NULL OR difference <> 0)
        OR sum(postings) IS DISTINCT FROM posting_count
        OR min(low) <> 0 OR max(high) <> posting_count - 1
    LIMIT 1;
    IF wrong.is_unbalanced THEN
        RAISE EXCEPTION 'journal entry % does not balance', wrong.entry_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_entry_balances';
    ELSIF FOUND THEN
        RAISE EXCEPTION 'postings of journal entry % must all come with it', wrong.entry_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_entry_complete';
    END IF;
    RETURN NULL;
END $$;

-- Closing a period waits for whoever is posting, and whoever posts then sees it closed.
CREATE OR REPLACE FUNCTION ledger_check_entries() RETURNS trigger LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
    early timestamptz;
    closed_until timestamptz;
BEGIN
    IF EXISTS (
        SELECT FROM new_entry
        WHERE NOT EXISTS (SELECT FROM ledger_posting WHERE entry_id = new_entry.id)
    ) THEN
        RAISE EXCEPTION 'a journal entry needs its postings in the same statement'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_entry_complete';
    END IF;
    IF EXISTS (
        SELECT FROM new_entry
        WHERE reverses_id IS NOT NULL AND NOT EXISTS (
            SELECT FROM ledger_journalentry AS original WHERE original.id = new_entry.reverses_id
        )
    ) THEN
        RAISE EXCEPTION 'a reversal needs the entry it undoes'
            USING ERRCODE = 'foreign_key_violation', CONSTRAINT = 'ledger_entry_reverses_another';
    END IF;
    -- Under an older snapshot a period closed since would still look open.
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'entries are posted under READ COMMITTED'
            USING ERRCODE = 'feature_not_supported';
    END IF;
    PERFORM pg_advisory_xact_lock_shared(hashtextextended('ledger:closing', 0));
    SELECT max(ends_at) INTO closed_until FROM ledger_accountingperiod WHERE status <> 'OPEN';
    SELECT min(effective_at) INTO early FROM new_entry;
    IF early < closed_until THEN
        RAISE EXCEPTION 'the books are closed until %', closed_until
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_period_open';
    END IF;
    RETURN NULL;
END $$;

-- Closed periods are all before open ones, and a locked one stays locked.
CREATE FUNCTION ledger_check_periods() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM old_period JOIN new_period USING (id)
        WHERE old_period.status = 'LOCKED' AND new_period.status <> 'LOCKED'
    ) THEN
        RAISE EXCEPTION 'a locked period stays locked'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_period_stays_locked';
    END IF;
    IF (SELECT min(starts_at) FROM ledger_accountingperiod WHERE status = 'OPEN')
        < (SELECT max(starts_at) FROM ledger_accountingperiod WHERE status <> 'OPEN')
    THEN
        RAISE EXCEPTION 'periods are closed in order and opened again in reverse order'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_periods_close_in_order';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER ledger_periods_close_in_order AFTER UPDATE ON ledger_accountingperiod
REFERENCING NEW TABLE AS new_period OLD TABLE AS old_period
FOR EACH STATEMENT EXECUTE FUNCTION ledger_check_periods();

-- What is available (the balance less what is held) may not be brought under the account's floor,
-- by a posting or by a hold, whoever writes it.
CREATE OR REPLACE FUNCTION ledger_check_floor() RETURNS trigger LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
    broken text;
BEGIN
    SELECT account.code INTO broken
    FROM ledger_account AS account
    JOIN new_balance ON new_balance.account_id = account.id
    JOIN old_balance ON old_balance.account_id = account.id
    CROSS JOIN LATERAL (
        SELECT CASE WHEN account.type IN ('asset', 'expense')
                   THEN new_balance.debits - new_balance.credits - new_balance.pending_credits
                   ELSE new_balance.credits - new_balance.debits - new_balance.pending_debits
               END AS after,
               CASE WHEN account.type IN ('asset', 'expense')
                   THEN old_balance.debits - old_balance.credits - old_balance.pending_credits
                   ELSE old_balance.credits - old_balance.debits - old_balance.pending_debits
               END AS before
    ) AS available
    WHERE account.floor IS NOT NULL AND after < account.floor AND after < before
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'balance of account % would be under its floor', broken
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_balance_floor';
    END IF;
    RETURN NULL;
END $$;

-- For readers and tools: what the triggers above prove, without paying for it row by row.
ALTER TABLE ledger_posting ADD CONSTRAINT ledger_posting_entry_fk
    FOREIGN KEY (entry_id) REFERENCES ledger_journalentry (id) NOT ENFORCED;
ALTER TABLE ledger_posting ADD CONSTRAINT ledger_posting_account_fk
    FOREIGN KEY (account_id) REFERENCES ledger_account (id) NOT ENFORCED;
ALTER TABLE ledger_journalentry ADD CONSTRAINT ledger_journalentry_reverses_fk
    FOREIGN KEY (reverses_id) REFERENCES ledger_journalentry (id) NOT ENFORCED;

-- Room on each page for the new version of a row, so that moving a balance writes no index.
-- Hot rows leave many dead versions: vacuumed often and without pauses, the table stays small.
ALTER TABLE ledger_accountbalance SET (
    fillfactor = 45,
    autovacuum_vacuum_threshold = 1000,
    autovacuum_vacuum_scale_factor = 0.05,
    autovacuum_vacuum_cost_delay = 0
);
