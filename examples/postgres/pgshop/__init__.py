"""Orders in PostgreSQL: a front, a service over a connection pool, and mistakes to put back in."""
