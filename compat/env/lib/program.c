// SPDX-License-Identifier: MIT
/* The main() of a program of kernel sources that has none. Alone here, so that the linker takes it only then. */
#include <kmem/env.h>

int main(int argc, char **argv)
{
	return kmem_env_main(argc, argv);
}
