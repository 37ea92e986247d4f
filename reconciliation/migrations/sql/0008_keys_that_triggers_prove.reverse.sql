-- Every key is checked row by row again; Django adds them back.
DROP TRIGGER reconciliation_keep_what_is_used ON payments_payment;
DROP TRIGGER reconciliation_keep_what_is_used ON payments_refund;
DROP TRIGGER reconciliation_keep_what_is_used ON payments_dispute;
DROP TRIGGER reconciliation_keep_what_is_used ON settlements_payout;
DROP TRIGGER reconciliation_keep_what_is_used ON reconciliation_processorpayout;
DROP TRIGGER reconciliation_keep_what_is_used ON reconciliation_reconciliationrun;
DROP TRIGGER reconciliation_keep_what_is_used ON reconciliation_match;
DROP TRIGGER reconciliation_keep_what_is_used ON reconciliation_statementline;
DROP TRIGGER reconciliation_keep_what_is_used ON reconciliation_statementfile;
DROP TRIGGER reconciliation_keep_what_is_used ON reconciliation_sourceaccount;
DROP FUNCTION reconciliation_keep_what_is_used();
DROP TRIGGER reconciliation_key_stays ON payments_payment;
DROP TRIGGER reconciliation_key_stays ON payments_refund;
DROP TRIGGER reconciliation_key_stays ON payments_dispute;
DROP TRIGGER reconciliation_key_stays ON settlements_payout;
DROP TRIGGER reconciliation_key_stays ON reconciliation_processorpayout;
DROP TRIGGER reconciliation_key_stays ON reconciliation_reconciliationrun;
DROP TRIGGER reconciliation_key_stays ON reconciliation_statementfile;
DROP TRIGGER reconciliation_key_stays ON reconciliation_sourceaccount;
DROP TRIGGER reconciliation_part_stays_as_it_is ON reconciliation_matchline;
DROP TRIGGER reconciliation_match_stays_as_it_is ON reconciliation_match;
DROP TRIGGER reconciliation_line_stays_where_it_is ON reconciliation_statementline;
DROP TRIGGER reconciliation_match_about_something ON reconciliation_match;
DROP TRIGGER reconciliation_lines_have_their_file ON reconciliation_statementline;
DROP FUNCTION reconciliation_check_matches();
DROP FUNCTION reconciliation_check_lines();
CREATE OR REPLACE FUNCTION reconciliation_check_match_lines() RETURNS trigger LANGUAGE plpgsql
SET plan_cache_mode = force_custom_plan AS $$
DECLARE
    exceeded bigint;
BEGIN
    -- LATERAL looks each line's parts up by index: the planner cannot know how many lines are touched.
    SELECT line.id INTO exceeded
    FROM new_part
    JOIN reconciliation_statementline AS line ON line.id = new_part.line_id
    CROSS JOIN LATERAL (
        SELECT count(*) AS parts, sum(amount) AS total,
               bool_or(sign(amount) <> sign(line.net)) AS is_opposed
        FROM reconciliation_matchline WHERE line_id = new_part.line_id
    ) AS used
    WHERE abs(total) > abs(line.net) OR is_opposed OR (line.net = 0 AND parts > 1)
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'matches use more of statement line % than there is', exceeded
            USING ERRCODE = 'check_violation', CONSTRAINT = 'reconciliation_line_not_exceeded';
    END IF;
    RETURN NULL;
END $$;
ALTER TABLE reconciliation_statementline
    DROP CONSTRAINT reconciliation_statementline_file_fk,
    DROP CONSTRAINT reconciliation_statementline_source_account_fk;
ALTER TABLE reconciliation_matchline
    DROP CONSTRAINT reconciliation_matchline_match_fk,
    DROP CONSTRAINT reconciliation_matchline_line_fk;
ALTER TABLE reconciliation_match
    DROP CONSTRAINT reconciliation_match_run_fk,
    DROP CONSTRAINT reconciliation_match_payment_fk,
    DROP CONSTRAINT reconciliation_match_refund_fk,
    DROP CONSTRAINT reconciliation_match_dispute_fk,
    DROP CONSTRAINT reconciliation_match_processor_payout_fk,
    DROP CONSTRAINT reconciliation_match_payout_fk;
DROP INDEX reconciliation_match_payment_id_key;
DROP INDEX reconciliation_match_refund_id_key;
DROP INDEX reconciliation_match_dispute_id_key;
DROP INDEX reconciliation_match_processor_payout_id_key;
DROP INDEX reconciliation_match_payout_id_key;
ALTER TABLE reconciliation_match
    ADD CONSTRAINT reconciliation_match_payment_id_key UNIQUE (payment_id),
    ADD CONSTRAINT reconciliation_match_refund_id_key UNIQUE (refund_id),
    ADD CONSTRAINT reconciliation_match_dispute_id_key UNIQUE (dispute_id),
    ADD CONSTRAINT reconciliation_match_processor_payout_id_key UNIQUE (processor_payout_id),
    ADD CONSTRAINT reconciliation_match_payout_id_key UNIQUE (payout_id);
