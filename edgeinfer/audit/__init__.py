"""What was done to and by this device, in a chain of lines that cannot be changed unseen; knows nothing of what runs."""

from edgeinfer.audit.chain import GENESIS, Broken, Line
from edgeinfer.audit.log import AuditLog
from edgeinfer.audit.verify import Finding, verify

__all__ = ["GENESIS", "AuditLog", "Broken", "Finding", "Line", "verify"]
