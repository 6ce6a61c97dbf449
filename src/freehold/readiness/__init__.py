"""`freehold check`: the audit of any FastAPI application, Freehold's or not.

Rules are declarations with one pure function each; they look at evidence that is gathered once: the project's files, its
source (parsed, never run) and the imported application (asked for its routes, never called). Nothing here writes, opens a
connection or makes a request.
"""

from freehold.readiness.audit import Report, audit
from freehold.readiness.rule import Finding, Hit, Place, Rule, Severity, rule
from freehold.readiness.rules import RULES

__all__ = ["RULES", "Finding", "Hit", "Place", "Report", "Rule", "Severity", "audit", "rule"]
