"""Services in virtual time: nothing runs, and a minute takes milliseconds."""
