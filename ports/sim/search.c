/* SPDX-License-Identifier: MIT */
/*
 * The search: all schedules of a scenario with at most n preemptions, depth first.
 *
 * A schedule is the sequence of choices the scheduler made: at points, whether the running task goes
 * on (0) or another does, which costs a preemption; and who runs when one cannot go on, which is
 * free. The program is deterministic, so a prefix of choices leads to the same state every time: to
 * try the next schedule, the last choice that has an untried option is advanced, what follows is
 * dropped, and the run starts from the snapshot again. Points that offer nothing (nobody else could
 * run, or no preemption is left) are not choices, and cost next to nothing.
 *
 * With k preemptions and p points there are in the order of p^k schedules, so what is complete here
 * is small scenarios; but most races need two or three preemptions at the right points.
 *
 * Sequentially consistent schedules only: orderings weaker than that are for race detectors.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "engine.h"

enum { CHOICES_MAX = 65536 };

struct choice {
	uint16_t taken, options;
	bool costs; /* any option but 0 is a preemption */
};

struct search {
	struct sim_sched sched; /* first: the scheduler is this */
	struct choice *choice;
	unsigned int nr, at, most; /* nr: of this schedule's prefix and on; at: next to be made */
	unsigned int used, bound;
	bool replay; /* what is not given is 0 */
};

static unsigned int next_choice(struct search *s, unsigned int options, bool costs)
{
	struct choice *c = &s->choice[s->at];

	if (s->at >= CHOICES_MAX)
		sim_fail("more than %d choices in a schedule", CHOICES_MAX);
	if (s->at >= s->nr) {
		*c = (struct choice){0, (uint16_t)options, costs};
		s->nr = s->at + 1;
	} else if (c->options != options && !(s->replay && c->options == 0)) {
		sim_fail("choice %u has %u options, had %u: the scenario is not deterministic",
			 s->at, options, c->options);
	}
	c->options = (uint16_t)options;
	c->costs = costs;
	s->at++;
	if (costs && c->taken)
		s->used++;
	return c->taken < options ? c->taken : options - 1;
}

static unsigned int search_point(struct sim_sched *sched, unsigned int others, bool irq)
{
	struct search *s = (struct search *)(void *)sched;
	unsigned int options = 1 + others + irq;

	return options > 1 && s->used < s->bound ? next_choice(s, options, true) : 0;
}

static unsigned int search_block(struct sim_sched *sched, unsigned int n)
{
	return next_choice((struct search *)(void *)sched, n, false);
}

static uint32_t search_gap(struct sim_sched *sched)
{
	const struct search *s = (const struct search *)(void *)sched;

	return s->used < s->bound ? 0 : SIM_GAP_MAX;
}

/* Moves on to the next schedule. False: that was the last. */
static bool search_advance(struct search *s)
{
	if (s->nr > s->most)
		s->most = s->nr;
	s->nr = s->at;
	while (s->nr > 0) {
		struct choice *c = &s->choice[s->nr - 1];

		if (c->taken + 1u < c->options) {
			c->taken++;
			return true;
		}
		s->nr--;
	}
	return false;
}

/* ---- One schedule ------------------------------------------------------------------------------ */

struct task_arg {
	const struct sim_scenario *sc;
	unsigned int i;
};

static void task_main(void *p)
{
	const struct task_arg *a = p;

	a->sc->task(a->i, a->sc->arg);
}

/* The arguments lie in the caller's memory: not in the world. */
static bool schedule_run(const struct sim_scenario *sc, struct task_arg *args)
{
	for (unsigned int i = 0; i < sc->nr_tasks; i++) {
		args[i] = (struct task_arg){sc, i};
		if (sim_spawn(i, task_main, &args[i], sc->name) < 0)
			return false;
	}
	if (sim_run() != 0)
		return false;
	return !sc->check || sim_call(sc->check, sc->arg) == 0;
}

static bool scenario_setup(const struct sim_scenario *sc, const struct sim_config *cfg)
{
	sim_begin(cfg);
	return !sc->setup || sim_call(sc->setup, sc->arg) == 0;
}

static void schedule_text(const struct search *s, char *out, size_t size)
{
	size_t at = (size_t)snprintf(out, size, "%u", s->bound);

	/* The bound, for points count as choices only while it is not used up; then "index:choice"
	 * of those that are not 0. */
	for (unsigned int i = 0; i < s->at && at + 16 < size; i++) {
		int n = s->choice[i].taken ? snprintf(out + at, size - at, "%s%u:%u", at ? "," : "",
						      i, s->choice[i].taken)
					   : 0;

		at += n > 0 ? (size_t)n : 0;
	}
}

static void found(struct sim_search_result *r, const struct search *s)
{
	const char *text = sim_finding();

	snprintf(r->finding, sizeof(r->finding), "%s", text ? text : "a task could not be started");
	schedule_text(s, r->schedule, sizeof(r->schedule));
}

static void schedules(const struct sim_scenario *sc, const struct sim_config *cfg, struct search *s,
		      uint64_t max, struct sim_search_result *r)
{
	struct task_arg *args = calloc(SIM_MAX_TASKS, sizeof(*args));
	bool snapshots = sim_snapshot_possible(), good;

	if (snapshots)
		sim_statics_keep();
	good = scenario_setup(sc, cfg);
	sim_engine->restored = snapshots;
	if (good && snapshots)
		sim_snapshot_take();
	while (good) {
		s->at = 0;
		s->used = 0;
		good = schedule_run(sc, args);
		r->schedules++;
		if (!good || (max && r->schedules >= max))
			break;
		if (!search_advance(s)) {
			r->complete = true;
			break;
		}
		if (snapshots)
			sim_snapshot_restore();
		else
			good = scenario_setup(sc, cfg);
	}
	if (!good)
		found(r, s);
	r->points = s->most;
	sim_engine->restored = false;
	if (snapshots)
		sim_statics_return();
	sim_end();
	free(args);
}

static void search_start(struct search *s, unsigned int bound)
{
	*s = (struct search){.sched = {search_point, search_block, search_gap}, .bound = bound};
	s->choice = calloc(CHOICES_MAX + 1, sizeof(*s->choice));
	if (!s->choice)
		abort();
}

void sim_search(const struct sim_scenario *sc, const struct sim_config *cfg,
		const struct sim_search_limit *limit, struct sim_search_result *r)
{
	struct sim_config mine = *cfg;
	struct search *s = calloc(1, sizeof(*s));

	if (!s)
		abort();
	memset(r, 0, sizeof(*r));
	search_start(s, limit->preemptions);
	mine.sched = &s->sched;
	if (!limit->handlers)
		mine.irq = NULL;
	schedules(sc, &mine, s, limit->max_schedules, r);
	free(s->choice);
	free(s);
}

static void replay_parse(struct search *s, const char *text)
{
	unsigned int i, taken;
	int used = 0;

	if (sscanf(text, "%u%n", &s->bound, &used) != 1)
		return;
	text += used;
	while (sscanf(text, ",%u:%u%n", &i, &taken, &used) == 2 && i < CHOICES_MAX) {
		s->choice[i].taken = (uint16_t)taken;
		s->nr = i + 1;
		text += used;
	}
}

void sim_replay(const struct sim_scenario *sc, const struct sim_config *cfg, const char *schedule,
		struct sim_search_result *r)
{
	struct sim_config mine = *cfg;
	struct search *s = calloc(1, sizeof(*s));

	if (!s)
		abort();
	memset(r, 0, sizeof(*r));
	search_start(s, 0);
	s->replay = true;
	replay_parse(s, schedule);
	mine.sched = &s->sched;
	schedules(sc, &mine, s, 1, r);
	free(s->choice);
	free(s);
}
