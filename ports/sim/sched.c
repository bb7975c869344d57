/* SPDX-License-Identifier: MIT */
/*
 * The random scheduler, refusals by plan, and the log.
 *
 * The distance to the next act is uniform in [0, 2 * mean), drawn when the last one is over, so that
 * a point costs a decrement. What the act is, a switch or a handler, is drawn when it is due.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "engine.h"

static uint64_t draw(void)
{
	return sim_mix(&sim_world->rand_sched);
}

static uint32_t random_gap(struct sim_sched *s)
{
	uint64_t p = sim_engine->cfg.preempt_every, i = sim_engine->cfg.irq_every;
	uint64_t mean = p && i ? p * i / (p + i) : p + i;

	(void)s;
	if (!p && !i)
		return SIM_GAP_MAX;
	return (uint32_t)(draw() % (2 * (mean ? mean : 1)));
}

static unsigned int random_point(struct sim_sched *s, unsigned int others, bool irq)
{
	uint64_t p = sim_engine->cfg.preempt_every, i = sim_engine->cfg.irq_every;

	(void)s;
	(void)irq; /* one that is not possible now is due later */
	if (!p && !i)
		return 0;
	/* Rates 1/p and 1/i: the handler's share is p / (p + i). */
	if (i && draw() % (p + i) < (p ? p : i))
		return others + 1;
	return others ? 1 + (unsigned int)(draw() % others) : 0;
}

static unsigned int random_block(struct sim_sched *s, unsigned int n)
{
	(void)s;
	return (unsigned int)(draw() % n);
}

struct sim_sched *sim_random_sched(void)
{
	static struct sim_sched sched = {random_point, random_block, random_gap};

	return &sched;
}

/* ---- Refusals ---------------------------------------------------------------------------------- */

static bool plan_says(const struct sim_plan *plan, uint64_t nr)
{
	switch (plan->kind) {
	case SIM_NTH:
		return nr == plan->n;
	case SIM_EVERY:
		return plan->n && nr % plan->n == 0;
	case SIM_FROM:
		return nr >= plan->n;
	case SIM_PERCENT:
		return sim_mix(&sim_world->rand_refuse) % 100 < plan->n;
	default:
		return false;
	}
}

bool sim_refuse(enum sim_refusable what)
{
	if (!(sim_engine->cfg.refuse_what & (uint32_t)what))
		return false;
	if (!plan_says(&sim_engine->cfg.refuse, ++sim_world->refusable))
		return false;
	sim_world->refusals++;
	sim_log("refuse %d\n", (int)what);
	return true;
}

void sim_set_refuse(struct sim_plan plan, uint32_t what)
{
	sim_engine->cfg.refuse = plan;
	sim_engine->cfg.refuse_what = what ? what : (uint32_t)SIM_COMMIT;
	sim_world->refusable = 0;
	sim_world->refusals = 0;
}

bool sim_plan_parse(const char *text, struct sim_plan *plan)
{
	static const char *const words[] = {"never", "nth:", "every:", "from:", "percent:"};
	char *end;

	if (strcmp(text, words[0]) == 0) {
		plan->kind = SIM_NEVER;
		return true;
	}
	for (unsigned int i = 1; i < sizeof(words) / sizeof(words[0]); i++) {
		size_t len = strlen(words[i]);

		if (strncmp(text, words[i], len) != 0)
			continue;
		plan->kind = (enum sim_plan_kind)i;
		plan->n = strtoull(text + len, &end, 10);
		return end != text + len && !*end && plan->n &&
		       (plan->kind != SIM_PERCENT || plan->n <= 100);
	}
	return false;
}

/* ---- The log ----------------------------------------------------------------------------------- */

static void log_keep(const char *text, size_t len)
{
	struct sim_engine *e = sim_engine;

	if (e->text_len + len + 1 > e->text_cap) {
		size_t cap = (e->text_cap + len + 1) * 2 + 65536;
		char *grown = realloc(e->text, cap);

		if (!grown)
			return;
		e->text = grown;
		e->text_cap = cap;
	}
	memcpy(e->text + e->text_len, text, len);
	e->text_len += len;
	e->text[e->text_len] = '\0';
}

void sim_log(const char *fmt, ...)
{
	struct sim_engine *e = sim_engine;
	char line[1024];
	va_list ap;
	int n;

	if (e->cfg.log == SIM_LOG_OFF)
		return;
	va_start(ap, fmt);
	n = vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	if (n >= (int)sizeof(line))
		n = (int)sizeof(line) - 1;
	for (int i = 0; i < n; i++)
		e->hash = (e->hash ^ (unsigned char)line[i]) * 0x100000001b3ull;
	if (n > 0 && e->cfg.log == SIM_LOG_TEXT)
		log_keep(line, (size_t)n);
}

uint64_t sim_log_hash(void)
{
	return sim_engine->hash;
}

const char *sim_log_text(size_t *len)
{
	*len = sim_engine->text_len;
	return sim_engine->text ? sim_engine->text : "";
}
