-- Take the next ids for a batch of entries, so that their postings can be written beside them.
SELECT nextval('ledger_journalentry_id_seq') AS id FROM generate_series(1, %(count)s)
