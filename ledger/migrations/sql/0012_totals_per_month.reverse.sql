DELETE FROM ledger_monthtotal;
