"""`python -m tests.oracles` runs every oracle and writes README.md."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from report import main

raise SystemExit(main())
