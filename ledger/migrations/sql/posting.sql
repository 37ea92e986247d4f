-- The calls that post a batch of entries. Each connection keeps the plans inside, which are made
-- without knowing the tables: always by index, however empty a table was when it was first asked.

-- What is available on an account: its balance by its normal side, less what holds keep.
CREATE FUNCTION ledger_available(type text, balance ledger_accountbalance) RETURNS bigint
LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN type IN ('asset', 'expense')
        THEN balance.debits - balance.credits - balance.pending_credits
        ELSE balance.credits - balance.debits - balance.pending_debits END
$$;

-- What a batch is decided by. Every step sees what was committed while the one before it waited.
-- What is available is 0 for accounts without a floor.
CREATE FUNCTION ledger_look_up_batch(
    owners text[], codes text[], keys text[], undone bigint[], entries integer,
    locks_floored boolean,
    OUT account_ids bigint[], OUT account_owners text[], OUT account_codes text[],
    OUT currencies text[], OUT types text[], OUT floors bigint[], OUT frozen boolean[],
    OUT availables bigint[],
    OUT known_keys text[], OUT known_ids bigint[], OUT known_public_ids text[],
    OUT known_fingerprints bytea[],
    OUT irreversible bigint[], OUT closed_until timestamptz, OUT entry_ids bigint[]
) LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
BEGIN
    IF locks_floored THEN
        PERFORM FROM (
            SELECT id
            FROM unnest(owners, codes) AS named (owner, code)
            JOIN ledger_account AS account USING (owner, code)
            WHERE account.floor IS NOT NULL
            ORDER BY account.id
        ) AS account
        CROSS JOIN LATERAL (
            SELECT FROM ledger_accountbalance WHERE account_id = account.id FOR NO KEY UPDATE
        ) AS locked;
    END IF;

    SELECT array_agg(id), array_agg(owner), array_agg(code), array_agg(currency), array_agg(type),
           array_agg(floor), array_agg(is_frozen),
           array_agg(coalesce(ledger_available(type, balance), 0))
    INTO account_ids, account_owners, account_codes, currencies, types, floors, frozen, availables
    FROM unnest(owners, codes) AS named (owner, code)
    JOIN ledger_account AS account USING (owner, code)
    LEFT JOIN ledger_accountbalance AS balance
        ON balance.account_id = account.id AND account.floor IS NOT NULL;

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

-- Post a batch: one whose entries were decided and have their ids, or one that nothing speaks
-- against. Says under which ids, or null if something does; then nothing is done.
-- Accounts and entries are named by their numbers in the batch, from 1. `lows` says by how much less,
-- or more, than before the batch is available at its worst moment, and `rises` by how much less than
-- after it; null if it matters to no floor. Without `moved_debits` the balances are left for later.
CREATE FUNCTION ledger_write_batch(
    decided_ids bigint[], known_accounts bigint[], known_floors bigint[],
    owners text[], codes text[], currencies text[], types text[], lows bigint[],
    public_ids text[], keys text[], fingerprints text[], kinds text[], refs text[],
    posting_counts smallint[], effective_ats timestamptz[], earliest timestamptz,
    late_froms timestamptz[], undone bigint[],
    posting_entries integer[], positions smallint[], posting_accounts integer[], directions text[],
    amounts bigint[],
    moved_debits bigint[], moved_credits bigint[], released_debits bigint[],
    released_credits bigint[], rises bigint[],
    OUT entry_ids bigint[]
) LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
    account_ids bigint[] := known_accounts;
    floors bigint[] := known_floors;
    broken text;
BEGIN
    IF decided_ids IS NOT NULL THEN
        entry_ids := decided_ids;
    ELSE
        -- The sealer waits for whoever has taken ids and not committed yet.
        SELECT array_agg(id), array_agg(floor), CASE WHEN count(*) = cardinality(owners) THEN (
            SELECT array_agg(nextval('ledger_journalentry_id_seq'))
            FROM generate_series(1, cardinality(keys))
        ) END
        INTO account_ids, floors, entry_ids
        FROM (
            SELECT id, floor
            FROM unnest(owners, codes, currencies, types, lows) WITH ORDINALITY
                AS named (owner, code, currency, type, low, number)
            JOIN ledger_account AS account USING (owner, code)
            LEFT JOIN ledger_accountbalance AS balance
                ON account.floor IS NOT NULL AND low IS NOT NULL
                    AND balance.account_id = account.id
            WHERE account.currency = named.currency AND account.type = named.type
                AND NOT account.is_frozen
                AND (balance IS NULL OR ledger_available(account.type, balance) + low >= floor)
                AND NOT EXISTS (SELECT FROM ledger_journalentry WHERE idempotency_key = ANY (keys))
                AND NOT EXISTS (
                    SELECT FROM ledger_accountingperiod
                    WHERE status <> 'OPEN' AND ends_at > earliest
                )
            ORDER BY number
        ) AS account;
        IF entry_ids IS NULL THEN
            RETURN;
        END IF;
    END IF;

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
    INSERT INTO ledger_posting (entry_id, position, account_id, direction, amount)
    SELECT entry_ids[entry], position, account_ids[account], direction, amount
    FROM unnest(posting_entries, positions, posting_accounts, directions, amounts)
        AS posting (entry, position, account, direction, amount);

    IF moved_debits = '{}' THEN
        RETURN;
    END IF;
    -- Add to the running totals, and take what is released off the pending ones: the last thing a
    -- batch does, so that others wait for no more than this. An upsert, because that takes its rows,
    -- which all exist, in order: those with a floor first, as who locks them beforehand does.
    INSERT INTO ledger_accountbalance AS balance (
        account_id, debits, credits, pending_debits, pending_credits
    )
    SELECT id, debits, credits, coalesce(debits_released, 0), coalesce(credits_released, 0)
    FROM unnest(
        account_ids, floors, moved_debits, moved_credits, released_debits, released_credits
    ) AS moved (id, floor, debits, credits, debits_released, credits_released)
    ORDER BY floor IS NULL, id
    ON CONFLICT (account_id) DO UPDATE
    SET debits = balance.debits + excluded.debits,
        credits = balance.credits + excluded.credits,
        pending_debits = balance.pending_debits - excluded.pending_debits,
        pending_credits = balance.pending_credits - excluded.pending_credits;

    -- How it stands at the end is for the trigger on balances.
    IF 0 <= ANY (rises) THEN
        SELECT account.code INTO broken
        FROM unnest(account_ids, rises) AS moved (id, rise)
        JOIN ledger_account AS account USING (id)
        JOIN ledger_accountbalance AS balance ON balance.account_id = id
        WHERE ledger_available(type, balance) - rise < floor
        LIMIT 1;
        IF FOUND THEN
            RAISE EXCEPTION 'balance of account % would have been under its floor', broken
                USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_balance_floor';
        END IF;
    END IF;
END $$;
