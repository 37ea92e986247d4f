"""python -m tests.chaos [--seconds 600] [--seed N] [--faults a,b] [--pace 8]: `make chaos`.

Real processes under real traffic, hurt again and again; after each fault it is healed, has to come
to rest, and is judged. The same seed chooses the same faults in the same order, and the same wishes
of the clients. Ends with 1 if anything was wrong; nothing is left running.
"""

import os
import sys

import django

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    from tests.chaos.play import main

    sys.exit(main())
