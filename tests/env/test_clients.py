#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Sources of the kernel as clients of the library, on small machines, two of them under ThreadSanitizer."""
import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.exit(subprocess.run([os.path.join(ROOT, "clients", "run.py"), "--tap", "debug",
                         "release:xarray,xarray_nowait,maple_tree", "tsan:rhashtable,strings"], check=False).returncode)
