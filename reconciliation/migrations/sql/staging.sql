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
    "references" text[] NOT NULL
);
-- Whoever reads a file counts its lines, and the fence of the file keeps all others from committing any. A
-- unique key would make the next reader wait for the lines of one that vanished in the middle of a piece.
CREATE INDEX reconciliation_stagedline_in_order ON reconciliation_stagedline (file_id, position);

CREATE UNLOGGED TABLE reconciliation_stagedrejection (
    file_id bigint NOT NULL,
    position int NOT NULL,
    line_no int NOT NULL,
    code text NOT NULL,
    reason text NOT NULL,
    raw text NOT NULL,
    PRIMARY KEY (file_id, position)
);
