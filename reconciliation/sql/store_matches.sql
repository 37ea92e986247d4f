-- Keep what was found, each match with its line.
WITH numbered AS MATERIALIZED (
    SELECT nextval('reconciliation_match_id_seq') AS match_id, pair.*
    FROM (
        SELECT found.*, line.net, line.reference, line.said
        FROM found JOIN open_line AS line USING (line_id) ORDER BY line_id
    ) AS pair
),
stored AS (
    INSERT INTO reconciliation_match (
        id, run_id, kind, rule, rule_version, evidence, payment_id, refund_id
    )
    OVERRIDING SYSTEM VALUE
    SELECT match_id, %(run_id)s, item_kind, rules.name, rules.version,
           jsonb_build_object('reported', reference, 'merchant', said),
           CASE item_kind WHEN 'payment' THEN item_id END,
           CASE item_kind WHEN 'refund' THEN item_id END
    FROM numbered JOIN unnest(
        %(rule_nos)s::int[], %(rule_names)s::text[], %(rule_versions)s::int[]
    ) AS rules (rule_no, name, version) USING (rule_no)
)
INSERT INTO reconciliation_matchline (match_id, line_id, amount)
SELECT match_id, line_id, net FROM numbered
