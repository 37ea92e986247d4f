-- The last id anybody has drawn (ids are drawn one by one, never cached), and a moment before.
SELECT statement_timestamp() AS horizon, coalesce(last_value, 0) AS last_id
FROM pg_sequences
WHERE schemaname = current_schema() AND sequencename = %(sequence)s
