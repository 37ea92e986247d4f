-- Takes back what the files beside this one made and the deletion of the tables does not.
DROP FUNCTION settlements_check_lines CASCADE;
