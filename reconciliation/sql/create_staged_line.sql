-- Where COPY puts the lines of one file until they are known to be new.
DROP TABLE IF EXISTS staged_line;
CREATE TEMPORARY TABLE staged_line (
    source_account_id bigint, line_no int, kind text, identity text, external_id text,
    booked_on date, value_on date, gross bigint, fee bigint, net bigint,
    presentment_amount bigint, presentment_currency text, reference text, parent_reference text,
    payout_id text, merchant text, counterparty text, text text, references_ text[]
) ON COMMIT DROP
