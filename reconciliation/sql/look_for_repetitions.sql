-- Whether a file may have a line twice: no if all identities have hashes of their own.
SELECT EXISTS (
    SELECT FROM reconciliation_stagedline WHERE file_id = %(file_id)s
    GROUP BY hashtextextended(identity, source_account_id) HAVING count(*) > 1
) AS found
