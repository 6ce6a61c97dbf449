"""What the imported application tells: operations, their dependencies and schemas, tables. No request is made."""
