"""``python -m dtalker_model.cli`` is the command ``dtalker``."""

import sys

from dtalker_model.cli.main import main

sys.exit(main())
