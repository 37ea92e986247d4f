-- Keep what was found, each match with its line.
WITH numbered AS (
    SELECT nextval('reconciliation_match_id_seq') AS match_id, found.*
    FROM found ORDER BY line_id
),
stored AS (
    INSERT INTO reconciliation_match (
        id, run_id, kind, rule, rule_version, evidence, payment_id, refund_id
    )
    OVERRIDING SYSTEM VALUE
    SELECT match_id, %(run_id)s, item_kind, rules.name, rules.version,
           jsonb_build_object('reported', line.reference, 'merchant', line.merchant),
           CASE item_kind WHEN 'payment' THEN item_id END,
           CASE item_kind WHEN 'refund' THEN item_id END
    FROM numbered JOIN unnest(
        %(rule_nos)s::int[], %(rule_names)s::text[], %(rule_versions)s::int[]
    ) AS rules (rule_no, name, version) USING (rule_no)
    JOIN reconciliation_statementline AS line ON line.id = line_id
)
INSERT INTO reconciliation_matchline (match_id, line_id, amount)
SELECT match_id, line_id, line.net
FROM numbered JOIN reconciliation_statementline AS line ON line.id = line_id
