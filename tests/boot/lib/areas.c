/* SPDX-License-Identifier: MIT */
#include "base/base.h"
#include "boot/lib/areas.h"

bool refuse_areas;

#ifdef PORT_AREA_SHIFT
int __real_port_areas(unsigned int nr, void **base, unsigned int *shift);
int __wrap_port_areas(unsigned int nr, void **base, unsigned int *shift);

int __wrap_port_areas(unsigned int nr, void **base, unsigned int *shift)
{
	return refuse_areas ? -KE_NOMEM : __real_port_areas(nr, base, shift);
}
#endif
