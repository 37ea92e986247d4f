-- Make room for the next rule.
TRUNCATE candidate
