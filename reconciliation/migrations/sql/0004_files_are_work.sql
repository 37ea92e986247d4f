-- What is there is loaded already; its bytes move into chunks of 1 MB.
UPDATE reconciliation_rejectedline SET
    code = left(split_part(reason, ':', 1), 60),
    resolution = CASE WHEN starts_with(reason, 'not_booked') THEN 'NOT_BOOKED' ELSE '' END;
UPDATE reconciliation_statementfile AS file SET
    received_at = loaded_at,
    bytes_read = size,
    lines_read = line_count + rejected_count,
    status = CASE
        WHEN EXISTS (
            SELECT FROM reconciliation_rejectedline AS line
            WHERE line.file_id = file.id AND line.resolution = ''
        ) THEN 'LOADED_WITH_ERRORS'
        ELSE 'LOADED'
    END;
UPDATE reconciliation_statement AS statement SET number = place.number
FROM (
    SELECT id, row_number() OVER (PARTITION BY file_id ORDER BY id) AS number
    FROM reconciliation_statement
) AS place
WHERE place.id = statement.id;
INSERT INTO reconciliation_statementfilechunk (file_id, number, content)
SELECT id, number, substring(content FROM number * 1048576 + 1 FOR 1048576)
FROM reconciliation_statementfile
CROSS JOIN LATERAL generate_series(0, (octet_length(content) - 1) / 1048576) AS number
WHERE octet_length(content) > 0;
SET CONSTRAINTS ALL IMMEDIATE;

CREATE FUNCTION reconciliation_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is kept as it arrived: % refused', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'restrict_violation', CONSTRAINT = 'reconciliation_bytes_never_change';
END $$;
CREATE TRIGGER reconciliation_bytes_never_change BEFORE UPDATE OR DELETE
ON reconciliation_statementfilechunk
FOR EACH STATEMENT EXECUTE FUNCTION reconciliation_refuse_change();

-- Where COPY puts the lines of a file while it is read. UNLOGGED: whoever reads a file empties its
-- part first, and what a crash of the server takes away is read again.
CREATE UNLOGGED TABLE reconciliation_stagedline (
    file_id bigint NOT NULL,
    position int NOT NULL,
    statement_no int NOT NULL,
    source_account_id bigint NOT NULL,
    line_no int NOT NULL,
    kind text NOT NULL,
    identity text NOT NULL,
    external_id text NOT NULL,
    booked_on date NOT NULL,
    value_on date NOT NULL,
    gross bigint NOT NULL,
    fee bigint NOT NULL,
    net bigint NOT NULL,
    presentment_amount bigint,
    presentment_currency text NOT NULL,
    reference text NOT NULL,
    parent_reference text NOT NULL,
    payout_id text NOT NULL,
    merchant text NOT NULL,
    counterparty text NOT NULL,
    text text NOT NULL,
    "references" text[] NOT NULL,
    PRIMARY KEY (file_id, position)
);
CREATE UNLOGGED TABLE reconciliation_stagedrejection (
    file_id bigint NOT NULL,
    position int NOT NULL,
    line_no int NOT NULL,
    code text NOT NULL,
    reason text NOT NULL,
    raw text NOT NULL,
    PRIMARY KEY (file_id, position)
)
