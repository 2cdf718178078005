"""Film an application: `python -m loopfilm MODULE:make_app --visit PATH`, see `command`."""

import sys

from .command import main

if __name__ == "__main__":
    sys.exit(main())
