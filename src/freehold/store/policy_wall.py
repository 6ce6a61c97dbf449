"""The policies of one table on PostgreSQL, from its access rules to one statement that puts them up.

There is one policy for each command. A part of a rule that looks at other tables is a function of its own that reads
them as they are (SECURITY DEFINER), as the compiler does: a hidden parent does not hide its children.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Final

from freehold.store.invariant_sql import SqlText
from freehold.store.protection import Protection
from freehold.store.rule_text import IS_SYSTEM, RuleText, VerbText, quoted

BODY: Final = """md5(concat_ws('|', polcmd, polpermissive, polroles::text, pg_get_expr(polqual, polrelid),
      pg_get_expr(polwithcheck, polrelid)))"""
"""What the database has made of a policy, so that one that was altered by hand is told from it."""
TAKE_DOWN: Final = """  FOR each IN SELECT polname FROM pg_policy WHERE polrelid = {table}::regclass AND polname LIKE 'fh\\_%' LOOP
    EXECUTE format('DROP POLICY %I ON {own}', each.polname);
  END LOOP;
  FOR each IN SELECT oid::regprocedure AS name FROM pg_proc WHERE proname LIKE 'fh\\_rule\\_%'
    AND proargtypes[0] = (SELECT reltype FROM pg_class WHERE oid = {table}::regclass) LOOP
    EXECUTE format('DROP FUNCTION %s', each.name);
  END LOOP;"""


class TableWall:
    """The policies of one table, and the functions they ask. reader: the role whose statements carry the rule already."""

    def __init__(self, protection: Protection, reader: str | None) -> None:
        self.functions: dict[str, str] = {}
        self.policies: dict[str, str] = {}
        sql = SqlText(protection.table, "postgresql")
        self.name, self._own, self._quote = protection.table.name, sql.own, sql.column
        rules = VerbText(protection, RuleText(protection.model, "postgresql", apart=self._apart))
        readable = f"({rules.old('read')})"
        is_bare, can_lock = self._lent("bare"), self._lent("locks")
        changeable = f"{readable} AND ({rules.old('update')} OR {can_lock})"
        self._add("read", "SELECT", using=f"{is_bare} OR {readable}")
        self._add("create", "INSERT", check=rules.new("create"))
        self._add("update", "UPDATE", using=changeable, check=rules.new("update"))
        self._add("delete", "DELETE", using=f"{readable} AND ({rules.old('delete')})")
        self._reader = reader and sql.column(reader)

    def _lent(self, what: str) -> str:
        return f"(SELECT fh_has({quoted(what)}, {quoted(self.name)}))"

    def _add(self, verb: str, command: str, *, using: str | None = None, check: str | None = None) -> None:
        parts = [f"CREATE POLICY fh_{verb} ON {self._own} FOR {command}"]
        if using is not None:
            parts.append(f"USING ({IS_SYSTEM} OR {using})")
        if check is not None:
            parts.append(f"WITH CHECK ({IS_SYSTEM} OR ({check}))")
        self.policies[f"fh_{verb}"] = " ".join(parts)

    def _apart(self, condition: str) -> str:
        """A function of a row, under a name that changes with what it asks."""
        body = f"SELECT EXISTS (SELECT 1 FROM (SELECT (fh_row).*) AS {self._own} WHERE {condition})"
        name = f"fh_rule_{self.name[:40]}_{_digest(body)[:8]}"
        self.functions[name] = body
        return f"{self._quote(name)}({self._own})"

    @property
    def digest(self) -> str:
        """Of everything that this wall is."""
        return _digest("\n".join([*self.functions.values(), *self.policies.values()]))

    def stands(self, policies: dict[str, str], functions: dict[str, str]) -> bool:
        """Whether it is what stands. policies: name -> digest it was built from; functions: name -> body."""
        wanted = dict.fromkeys([*self.policies, *(["fh_reader"] if self._reader else [])], self.digest)
        # A policy for readers does no harm to a service that has none.
        found = {name: digest for name, digest in policies.items() if name in wanted or name != "fh_reader"}
        return wanted == found and all(functions.get(name) == body for name, body in self.functions.items())

    def script(self) -> str:
        """One statement that puts it up, whatever stood before."""
        create = [
            f"CREATE OR REPLACE FUNCTION {self._quote(name)}(fh_row {self._own}) RETURNS boolean LANGUAGE sql STABLE"
            f" SECURITY DEFINER SET search_path FROM CURRENT AS $fh$\n{body}\n$fh$;"
            for name, body in self.functions.items()
        ]
        create += [f"{policy};" for policy in self.policies.values()]
        if self._reader:
            create.append(f"CREATE POLICY fh_reader ON {self._own} FOR SELECT TO {self._reader} USING (true);")
        statements = "\n  ".join(create)
        return f"""DO $wall$
DECLARE each record;
BEGIN
{TAKE_DOWN.format(table=quoted(self._own), own=self._own)}
  {statements}
  ALTER TABLE {self._own} ENABLE ROW LEVEL SECURITY;
  FOR each IN SELECT polname, {BODY} AS body FROM pg_policy WHERE polrelid = {quoted(self._own)}::regclass
  LOOP
    EXECUTE format('COMMENT ON POLICY %I ON {self._own} IS %L', each.polname, 'fh:{self.digest}:' || each.body);
  END LOOP;
END
$wall$"""


def _digest(written: str) -> str:
    return sha256(" ".join(written.split()).encode()).hexdigest()[:16]
