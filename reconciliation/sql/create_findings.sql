-- What the rules of this run find: pairs, repeated lines, and ties nobody may guess between.
DROP TABLE IF EXISTS
    candidate, found, repeated, tied, open_line, open_item, rest_line, rest_item,
    spelling;
CREATE TEMPORARY TABLE candidate (line_id bigint, item_kind text, item_id bigint) ON COMMIT DROP;
CREATE TEMPORARY TABLE found (
    rule_no int, line_id bigint UNIQUE, item_kind text, item_id bigint, UNIQUE (item_kind, item_id)
) ON COMMIT DROP;
CREATE TEMPORARY TABLE repeated (
    rule_no int, line_id bigint UNIQUE, item_kind text, item_id bigint
) ON COMMIT DROP;
CREATE TEMPORARY TABLE tied (line_id bigint, item_kind text, item_id bigint) ON COMMIT DROP
