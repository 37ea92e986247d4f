-- What the rules of this run find: pairs, repeated lines, and ties nobody may guess between. Nearly all
-- pairs are found at once and alike; the indexes are for the others. Small samples do for such tables.
SET LOCAL work_mem = '64MB';
SET LOCAL default_statistics_target = 10;
DROP TABLE IF EXISTS
    candidate, found, repeated, tied, open_line, open_item, rest_line, rest_item,
    spelling;
CREATE TEMPORARY TABLE candidate (line_id bigint, item_kind text, item_id bigint) ON COMMIT DROP;
CREATE TEMPORARY TABLE found (
    rule_no int, line_id bigint, item_kind text, item_id bigint, is_alike boolean DEFAULT false
) ON COMMIT DROP;
CREATE UNIQUE INDEX ON found (line_id) WHERE NOT is_alike;
CREATE UNIQUE INDEX ON found (item_kind, item_id) WHERE NOT is_alike;
CREATE TEMPORARY TABLE open_item (
    item_kind text, item_id bigint, line_kind text, reference text, merchant text, amount bigint,
    currency text, settlement_currency text, settlement_due_on date, processor_fee_expected bigint,
    processor_fee_currency text
) ON COMMIT DROP;
CREATE TEMPORARY TABLE repeated (
    rule_no int, line_id bigint UNIQUE, item_kind text, item_id bigint
) ON COMMIT DROP;
CREATE TEMPORARY TABLE tied (line_id bigint, item_kind text, item_id bigint) ON COMMIT DROP
