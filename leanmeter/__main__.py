"""`python -m leanmeter` is the `leanmeter` command."""

import sys

from leanmeter.command_line import main

sys.exit(main())
