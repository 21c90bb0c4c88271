"""Access: how an edge learns who calls. Keys of systems, and which person an identity provider's subject is.

It says who, and nothing else: what they may do or see stands in the register (DESIGN.md laws 4, 10). No backup holds
these tables: a restored one would bring revoked keys back, and lost ones are made anew in a minute.
"""

from adapters.access.keys import Issued, SystemKey, SystemKeys
from adapters.access.people import People
from adapters.access.recording import Giver
from adapters.access.store import AccessStore, open_access

__all__ = ["AccessStore", "Giver", "Issued", "People", "SystemKey", "SystemKeys", "open_access"]
