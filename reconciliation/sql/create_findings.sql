-- What the rules of this run find: pairs, repeated lines, and ties nobody may guess between. Small samples
-- do for such tables, and what several processes find is handed over for less than the planner thinks.
SET LOCAL work_mem = '64MB';
SET LOCAL default_statistics_target = 10;
SET LOCAL parallel_tuple_cost = 0.01;
DROP TABLE IF EXISTS
    candidate, found, repeated, tied, naming, line_and_item, open_line, open_item, rest_line, rest_item,
    spelling;
CREATE TEMPORARY TABLE candidate (line_id bigint, item_kind text, item_id bigint) ON COMMIT DROP;
CREATE TEMPORARY TABLE found (
    rule_no int, line_id bigint UNIQUE, item_kind text, item_id bigint, UNIQUE (item_kind, item_id)
) ON COMMIT DROP;
CREATE TEMPORARY TABLE open_line (
    line_id bigint, line_kind text, reference text, said text, merchant text, booked_on date,
    value_on date, file_no bigint, line_no int, gross bigint, fee bigint, net bigint,
    presentment_amount bigint, presentment_currency text, account_currency text, amount bigint,
    currency text
) ON COMMIT DROP;
CREATE TEMPORARY TABLE open_item (
    item_kind text, item_id bigint, line_kind text, reference text, merchant text, amount bigint,
    currency text, settlement_currency text, settlement_due_on date, processor_fee_expected bigint,
    processor_fee_currency text
) ON COMMIT DROP;
CREATE TEMPORARY TABLE repeated (
    rule_no int, line_id bigint UNIQUE, item_kind text, item_id bigint
) ON COMMIT DROP;
CREATE TEMPORARY TABLE tied (line_id bigint, item_kind text, item_id bigint) ON COMMIT DROP
