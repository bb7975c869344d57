#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Some allocations of kernel sources failed in turn: nothing crashes, hangs, or leaks. The long form: make sweep-clients."""
import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.exit(subprocess.run([os.path.join(ROOT, "clients", "run.py"), "--tap", "--sweep", "15",
                         "debug:ida,mbcache,btree,radix"], check=False).returncode)
