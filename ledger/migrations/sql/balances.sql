-- What is available (the balance less what is held) may not be brought under the account's floor,
-- by a posting or by a hold, whoever writes it.
CREATE FUNCTION ledger_check_floor() RETURNS trigger LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
SET search_path = pg_catalog, public, pg_temp AS $$
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

CREATE TRIGGER ledger_balance_floor AFTER UPDATE ON ledger_accountbalance
REFERENCING NEW TABLE AS new_balance OLD TABLE AS old_balance
FOR EACH STATEMENT EXECUTE FUNCTION ledger_check_floor();

-- Room on each page for the new version of a row, so that moving a balance writes no index.
-- Hot rows leave many dead versions: vacuumed often and without pauses, the table stays small.
ALTER TABLE ledger_accountbalance SET (
    fillfactor = 45,
    autovacuum_vacuum_threshold = 1000,
    autovacuum_vacuum_scale_factor = 0.05,
    autovacuum_vacuum_cost_delay = 0
);
