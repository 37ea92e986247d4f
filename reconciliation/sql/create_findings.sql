-- What the rules of this run find: pairs, repeated lines, and ties nobody may guess between. The first
-- rule finds nearly all of them; the indexes are for the others, which look at what it left over.
SET LOCAL work_mem = '64MB';
DROP TABLE IF EXISTS
    candidate, found, repeated, tied, open_line, open_item, rest_line, rest_item,
    spelling;
CREATE TEMPORARY TABLE candidate (line_id bigint, item_kind text, item_id bigint) ON COMMIT DROP;
CREATE TEMPORARY TABLE found (
    rule_no int, line_id bigint, item_kind text, item_id bigint
) ON COMMIT DROP;
CREATE UNIQUE INDEX ON found (line_id) WHERE rule_no > 0;
CREATE UNIQUE INDEX ON found (item_kind, item_id) WHERE rule_no > 0;
CREATE TEMPORARY TABLE repeated (
    rule_no int, line_id bigint UNIQUE, item_kind text, item_id bigint
) ON COMMIT DROP;
CREATE TEMPORARY TABLE tied (line_id bigint, item_kind text, item_id bigint) ON COMMIT DROP
