DROP FUNCTION ledger_write_batch;
DROP FUNCTION ledger_look_up_batch;
DROP FUNCTION ledger_available;
-- The two calls a batch of entries makes. Each connection keeps the plans inside, which are made
-- without knowing the tables: always by index, however empty a table was when it was first asked.

-- What a batch is decided by. Every step sees what was committed while the one before it waited.
-- Balances are by the account's normal side, and 0 for accounts without a floor.
CREATE FUNCTION ledger_look_up_batch(
    owners text[], codes text[], keys text[], undone bigint[], entries integer,
    OUT account_ids bigint[], OUT account_owners text[], OUT account_codes text[],
    OUT currencies text[], OUT types text[], OUT floors bigint[], OUT frozen boolean[],
    OUT balances bigint[], OUT availables bigint[],
    OUT known_keys text[], OUT known_ids bigint[], OUT known_public_ids text[],
    OUT known_fingerprints bytea[],
    OUT irreversible bigint[], OUT closed_until timestamptz, OUT entry_ids bigint[]
) LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
BEGIN
    -- Accounts, one after the other by id. Those with a floor have their balances locked.
    SELECT array_agg(id), array_agg(owner), array_agg(code), array_agg(currency), array_agg(type),
           array_agg(floor), array_agg(is_frozen), array_agg(coalesce(balance, 0)),
           array_agg(coalesce(available, 0))
    INTO account_ids, account_owners, account_codes, currencies, types, floors, frozen, balances,
         availables
    FROM (
        SELECT account.*
        FROM unnest(owners, codes) AS named (owner, code)
        JOIN ledger_account AS account USING (owner, code)
        ORDER BY account.id
    ) AS account
    LEFT JOIN LATERAL (
        SELECT CASE WHEN account.type IN ('asset', 'expense') THEN debits - credits
                    ELSE credits - debits END AS balance,
               CASE WHEN account.type IN ('asset', 'expense')
                    THEN debits - credits - pending_credits
                    ELSE credits - debits - pending_debits END AS available
        FROM ledger_accountbalance
        WHERE account_id = account.id AND account.floor IS NOT NULL
        FOR NO KEY UPDATE
    ) AS locked ON true;

    -- Entries that are in the journal already.
    SELECT array_agg(idempotency_key), array_agg(id), array_agg(public_id), array_agg(fingerprint)
    INTO known_keys, known_ids, known_public_ids, known_fingerprints
    FROM ledger_journalentry WHERE idempotency_key = ANY (keys);

    -- Entries that cannot be reversed: reversed already, or not there.
    IF undone <> '{}' THEN
        SELECT array_agg(wanted.id) INTO irreversible
        FROM unnest(undone) AS wanted (id)
        WHERE EXISTS (SELECT FROM ledger_journalentry WHERE reverses_id = wanted.id)
            OR NOT EXISTS (SELECT FROM ledger_journalentry WHERE id = wanted.id);
    END IF;

    SELECT max(ends_at) INTO closed_until FROM ledger_accountingperiod WHERE status <> 'OPEN';

    -- Taken here so that postings can be written beside their entries. The sealer waits for whoever
    -- has taken ids and not committed yet.
    SELECT array_agg(nextval('ledger_journalentry_id_seq')) INTO entry_ids
    FROM generate_series(1, entries);
END $$;

-- Write entries with their postings, in one statement. Then add to the running totals, in the order
-- given, and take what is released off the pending ones: the last thing a batch does, so that others
-- wait for no more than this. An upsert, because that takes its rows, which all exist, in order.
CREATE FUNCTION ledger_write_batch(
    entry_ids bigint[], public_ids text[], keys text[], fingerprints text[], kinds text[],
    refs text[], posting_counts smallint[], effective_ats timestamptz[], late_froms timestamptz[],
    undone bigint[],
    posting_entry_ids bigint[], positions smallint[], account_ids bigint[], directions text[],
    amounts bigint[], balances_after bigint[],
    moved_ids bigint[], moved_debits bigint[], moved_credits bigint[], released_debits bigint[],
    released_credits bigint[]
) RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    WITH new_entry AS (
        INSERT INTO ledger_journalentry (
            id, public_id, idempotency_key, fingerprint, kind, reference, posting_count,
            effective_at, late_from, reverses_id
        )
        OVERRIDING SYSTEM VALUE
        SELECT id, public_id, key, decode(fingerprint, 'hex'), kind, reference, posting_count,
               effective_at, late_from, reverses
        FROM unnest(
            entry_ids, public_ids, keys, fingerprints, kinds, refs, posting_counts, effective_ats,
            late_froms, undone
        ) AS entry (
            id, public_id, key, fingerprint, kind, reference, posting_count, effective_at,
            late_from, reverses
        )
    )
    INSERT INTO ledger_posting (entry_id, position, account_id, direction, amount, balance_after)
    SELECT * FROM unnest(
        posting_entry_ids, positions, account_ids, directions, amounts, balances_after
    );

    IF moved_ids <> '{}' THEN
        INSERT INTO ledger_accountbalance AS balance (
            account_id, debits, credits, pending_debits, pending_credits
        )
        SELECT * FROM unnest(
            moved_ids, moved_debits, moved_credits, released_debits, released_credits
        )
        ON CONFLICT (account_id) DO UPDATE
        SET debits = balance.debits + excluded.debits,
            credits = balance.credits + excluded.credits,
            pending_debits = balance.pending_debits - excluded.pending_debits,
            pending_credits = balance.pending_credits - excluded.pending_credits;
    END IF;
END $$;

CREATE OR REPLACE FUNCTION ledger_check_entries() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
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
