"""`python -m edgeinfer` is the same as `edgeinfer`."""

import sys

from edgeinfer.cli.main import main

sys.exit(main())
