-- Keep what was found: first what is alike, which is in the currency of its line, then all other pairs; both
-- in the order of the lines.
INSERT INTO reconciliation_match (
    run_id, kind, rule, rule_version, evidence, line_id, amount, is_converted, payment_id, refund_id
)
SELECT %(run_id)s, CASE WHEN item_no < 0 THEN 'refund' ELSE 'payment' END,
       %(exact_name)s, %(exact_version)s, evidence, line_id, net, false,
       CASE WHEN item_no > 0 THEN item_no END, CASE WHEN item_no < 0 THEN -item_no END
FROM line_and_item WHERE is_alike
UNION ALL (
    SELECT %(run_id)s, item_kind, rules.name, rules.version,
           jsonb_build_object('reported', line.reference, 'merchant', line.said), line_id, line.net,
           item.currency <> line.account_currency,
           CASE item_kind WHEN 'payment' THEN item_id END, CASE item_kind WHEN 'refund' THEN item_id END
    FROM found
    JOIN open_line AS line USING (line_id)
    JOIN unnest(
        %(rule_nos)s::int[], %(rule_names)s::text[], %(rule_versions)s::int[]
    ) AS rules (rule_no, name, version) USING (rule_no)
    LEFT JOIN open_item AS item USING (item_kind, item_id)
    ORDER BY line_id
)
