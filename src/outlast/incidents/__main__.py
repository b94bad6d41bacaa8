"""`python -m outlast.incidents enactor|planner --options FILE.json`: a hazard role, on loopback only."""

import sys

from outlast.incidents.command import main

if __name__ == "__main__":
    sys.exit(main())
