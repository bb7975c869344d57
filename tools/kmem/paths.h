/* SPDX-License-Identifier: MIT */
/* Where the installed files lie; the build sets these from prefix, libdir, includedir and libexecdir. */
#ifndef KMEM_PATHS_H
#define KMEM_PATHS_H

#ifndef KMEM_LIBDIR
#define KMEM_LIBDIR "/usr/local/lib"
#endif
#ifndef KMEM_INCLUDEDIR
#define KMEM_INCLUDEDIR "/usr/local/include"
#endif
#ifndef KMEM_LIBEXECDIR
#define KMEM_LIBEXECDIR "/usr/local/libexec"
#endif
/* The second half of a build folder's name: build/sim-x86_64. */
#ifndef KMEM_ARCH
#define KMEM_ARCH "x86_64"
#endif

#endif
