-- A transfer in one call: locks both accounts in id order, checks, writes the entry, moves balances.
CREATE FUNCTION bench_transfer(
    key text, about text, from_id bigint, to_id bigint, moved bigint
) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    account record;
    source record;
    target record;
    new_id bigint;
BEGIN
    FOR account IN
        SELECT id, currency, balance, floor FROM benchmarks_functionaccount
        WHERE id IN (from_id, to_id) ORDER BY id FOR NO KEY UPDATE
    LOOP
        IF account.id = from_id THEN
            source := account;
        ELSE
            target := account;
        END IF;
    END LOOP;
    IF source.currency <> target.currency THEN
        RAISE EXCEPTION 'accounts %% and %% differ in currency', from_id, to_id;
    END IF;
    IF source.balance - moved < source.floor THEN
        RAISE EXCEPTION 'account %% has not got %%', from_id, moved;
    END IF;
    INSERT INTO benchmarks_functionentry (idempotency_key, reference) VALUES (key, about)
    RETURNING id INTO new_id;
    INSERT INTO benchmarks_functionposting (entry_id, position, account_id, amount, balance_after)
    VALUES (new_id, 0, from_id, -moved, source.balance - moved),
           (new_id, 1, to_id, moved, target.balance + moved);
    UPDATE benchmarks_functionaccount SET balance = balance - moved WHERE id = from_id;
    UPDATE benchmarks_functionaccount SET balance = balance + moved WHERE id = to_id;
    RETURN new_id;
END $$
