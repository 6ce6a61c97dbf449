"""What people are told: a row for each notice, and a mail where they want one."""
