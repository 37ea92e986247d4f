-- As before, and no posting may touch a frozen account.
CREATE OR REPLACE FUNCTION ledger_check_postings() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
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
