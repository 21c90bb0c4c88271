"""`python -m adapters.tied COMMAND …`: become COMMAND, tied to the life of the parent.

The kernel sends SIGTERM when the parent dies, however it dies. Systems without that (all but Linux) run the
command untied: there a killed parent leaves its children behind.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main() -> None:
    """Tie this process to its parent and replace it by the command."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    os.execvp(sys.argv[1], sys.argv[1:])


if __name__ == "__main__":
    main()
