"""``python -m evaluation`` is the command ``evaluation``."""

import sys

from evaluation.cli import main

sys.exit(main())
