-- An entry balances in each currency and arrives with all its postings, on accounts that exist and
-- are not frozen, in no closed period.
-- Statement-level triggers: one aggregate per statement, not one call per row. They hold because an
-- entry and all its postings arrive in one statement.

-- One pass over the postings of a statement: every posting names an account and an entry that
-- exist, debits equal credits per entry and currency, and an entry's postings all come with it:
-- positions 0 .. posting_count - 1 are taken by this statement, and they are the primary key, so
-- nothing can be added later, balanced or not. No posting touches a frozen account.
-- Plans are kept, and made without knowing the tables: always by index, however empty a table was
-- when it was first asked and however small the first batch.
CREATE FUNCTION ledger_check_postings() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
    wrong record;
BEGIN
    SELECT posted.entry_id, bool_or(currency IS NULL OR difference <> 0) AS is_unbalanced,
           bool_or(touches_frozen) AS touches_frozen INTO wrong
    FROM (
        SELECT new_posting.entry_id, account.currency, count(*) AS postings,
               min(position) AS low, max(position) AS high,
               coalesce(bool_or(account.is_frozen), false) AS touches_frozen,
               sum(CASE direction WHEN 'debit' THEN amount ELSE -amount END) AS difference
        FROM new_posting LEFT JOIN ledger_account AS account ON account.id = new_posting.account_id
        GROUP BY new_posting.entry_id, account.currency
    ) AS posted
    LEFT JOIN ledger_journalentry AS entry ON entry.id = posted.entry_id
    GROUP BY posted.entry_id, entry.posting_count
    HAVING bool_or(currency IS NULL OR difference <> 0 OR touches_frozen)
        OR sum(postings) IS DISTINCT FROM posting_count
        OR min(low) <> 0 OR max(high) <> posting_count - 1
    LIMIT 1;
    IF wrong.touches_frozen THEN
        RAISE EXCEPTION 'journal entry % touches a frozen account', wrong.entry_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_account_frozen';
    ELSIF wrong.is_unbalanced THEN
        RAISE EXCEPTION 'journal entry % does not balance', wrong.entry_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_entry_balances';
    ELSIF FOUND THEN
        RAISE EXCEPTION 'postings of journal entry % must all come with it', wrong.entry_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_entry_complete';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER ledger_entry_balances AFTER INSERT ON ledger_posting
REFERENCING NEW TABLE AS new_posting
FOR EACH STATEMENT EXECUTE FUNCTION ledger_check_postings();

-- Closing a period waits for whoever is posting, and whoever posts then sees it closed.
CREATE FUNCTION ledger_check_entries() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
    early timestamptz;
    is_bare boolean;
    undoes_nothing boolean;
    closed_until timestamptz;
BEGIN
    SELECT min(effective_at),
           bool_or(NOT EXISTS (SELECT FROM ledger_posting WHERE entry_id = new_entry.id)),
           bool_or(reverses_id IS NOT NULL AND NOT EXISTS (
               SELECT FROM ledger_journalentry AS original
               WHERE original.id = new_entry.reverses_id
           ))
    INTO early, is_bare, undoes_nothing
    FROM new_entry;
    IF is_bare THEN
        RAISE EXCEPTION 'a journal entry needs its postings in the same statement'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_entry_complete';
    ELSIF undoes_nothing THEN
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
    IF early < closed_until THEN
        RAISE EXCEPTION 'the books are closed until %', closed_until
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_period_open';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER ledger_entry_complete AFTER INSERT ON ledger_journalentry
REFERENCING NEW TABLE AS new_entry
FOR EACH STATEMENT EXECUTE FUNCTION ledger_check_entries();

-- For readers and tools: what the triggers above prove, without paying for it row by row.
ALTER TABLE ledger_posting ADD CONSTRAINT ledger_posting_entry_fk
    FOREIGN KEY (entry_id) REFERENCES ledger_journalentry (id) NOT ENFORCED;
ALTER TABLE ledger_posting ADD CONSTRAINT ledger_posting_account_fk
    FOREIGN KEY (account_id) REFERENCES ledger_account (id) NOT ENFORCED;
ALTER TABLE ledger_journalentry ADD CONSTRAINT ledger_journalentry_reverses_fk
    FOREIGN KEY (reverses_id) REFERENCES ledger_journalentry (id) NOT ENFORCED;
