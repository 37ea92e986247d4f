-- How many lines are left over, and how many of them no run has seen before.
SELECT count(*) AS lines, count(*) FILTER (WHERE NOT is_known) AS new FROM unfound_line
