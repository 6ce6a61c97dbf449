"""The contract with clients: an OpenAPI document kept as a file, and what each change of it does to them.

Pure but for the file: it reads documents, whoever made them, and knows no application.
"""

from freehold.contract.compare import compare
from freehold.contract.files import read, rendered, write
from freehold.contract.findings import Finding, Severity
from freehold.contract.normal import normalised

__all__ = ["Finding", "Severity", "compare", "normalised", "read", "rendered", "write"]
