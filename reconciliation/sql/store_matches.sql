-- Keep what was found, in the order of the lines. What is alike is in the currency of its line.
INSERT INTO reconciliation_match (
    run_id, kind, rule, rule_version, evidence, line_id, amount, is_converted, payment_id, refund_id
)
SELECT %(run_id)s, item_kind, rules.name, rules.version,
       jsonb_build_object('reported', line.reference, 'merchant', line.said), line_id, line.net,
       CASE WHEN is_alike THEN false ELSE (
           SELECT item.currency <> line.account_currency FROM open_item AS item
           WHERE item.item_kind = found.item_kind AND item.item_id = found.item_id
       ) END,
       CASE item_kind WHEN 'payment' THEN item_id END,
       CASE item_kind WHEN 'refund' THEN item_id END
FROM found
JOIN open_line AS line USING (line_id)
JOIN unnest(
    %(rule_nos)s::int[], %(rule_names)s::text[], %(rule_versions)s::int[]
) AS rules (rule_no, name, version) USING (rule_no)
ORDER BY line_id
