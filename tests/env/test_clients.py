#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Sources of the kernel as clients of the library, on small machines, some of them under sanitizers."""
import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
# The long ones without the library's assertions, here: make clients runs them all in all variants.
LONG = "xarray,xarray_nowait,maple_tree"
SHORT = "ida,ida_nowait,rhashtable,meminit,free_pages,vmalloc,overflow,slub,mbcache,btree,genpool,strings,radix"
sys.exit(subprocess.run([os.path.join(ROOT, "clients", "run.py"), "--tap", "debug:" + SHORT, "release:" + LONG,
                         "asan:ida,btree,slub,strings", "tsan:rhashtable,strings"], check=False).returncode)
