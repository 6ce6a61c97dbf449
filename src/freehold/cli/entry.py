"""The list of commands, and what becomes of a refusal: one message, exit status 2, no traceback."""

from __future__ import annotations

import sys

import typer

from freehold.cli import (
    add,
    api_keys,
    audit,
    backup,
    check,
    clients,
    contract,
    copy,
    dev,
    explain,
    exporting,
    importing,
    jobs,
    keys,
    load_file,
    mail,
    migrate,
    new,
    openapi,
    profile,
    restore,
    roles,
    routes,
    serve,
    settings,
    user,
    worker,
)
from freehold.errors import ConfigurationError

REFUSED = 2

app = typer.Typer(
    name="freehold",
    help="The production layer for FastAPI.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("serve")(serve.command)
app.command("worker")(worker.command)
app.command("dev")(dev.command)
app.command("new")(new.command)
app.command("check")(check.command)
app.command("routes")(routes.command)
app.command("openapi")(openapi.command)
app.command("load-file")(load_file.command)
app.command("profile")(profile.command)
app.command("settings")(settings.command)
app.command("explain-access")(explain.command)
app.command("roles")(roles.command)
app.command("copy")(copy.command)
app.command("backup")(backup.command)
app.command("restore")(restore.command)
app.command("import")(importing.command)
app.command("export")(exporting.command)
app.add_typer(add.app, name="add")
app.add_typer(user.app, name="user")
app.add_typer(mail.app, name="mail")
app.add_typer(jobs.app, name="jobs")
app.add_typer(migrate.app, name="migrate")
app.add_typer(contract.app, name="contract")
app.add_typer(audit.app, name="audit")
app.add_typer(keys.app, name="keys")
app.add_typer(api_keys.app, name="api-keys")
app.add_typer(clients.app, name="clients")


def main() -> None:
    """Run a command. Ends with 2 where the start is refused (wrong settings, wrong declaration, no such app)."""
    try:
        app()
    except ConfigurationError as refusal:
        sys.stderr.write(f"freehold: {refusal}\n")
        sys.exit(REFUSED)
