/* SPDX-License-Identifier: Apache-2.0 */
/* match: {host: "gpu[001-128]", exists: /dev/nvidia0}: which hosts a drop-in is for. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "config/load.h"
#include "config/substitute.h"

struct condition {
	const char *name, *where;
	bool all; /* of a list, all must hold; else one of them */
	int (*holds)(const char *text, const char *host, struct weir_err *err);
};

/* Takes the key out of the mapping. False: it is not there. */
static bool
take(struct node *root, struct member *taken)
{
	struct member *member = node_member(root, "match");

	if (!member)
		return false;
	*taken = *member;
	size_t index = (size_t)(member - root->members);
	root->n--;
	memmove(member, member + 1, (root->n - index) * sizeof(*member));
	return true;
}

static int
host_holds(const char *text, const char *host, struct weir_err *err)
{
	char name[256];

	if (hostlist_check(text, err))
		return -EINVAL;
	if (hostlist_match(text, host))
		return 1;
	size_t size = strcspn(host, ".");
	if (!host[size] || size >= sizeof(name))
		return 0;
	memcpy(name, host, size);
	name[size] = '\0';
	return hostlist_match(text, name);
}

static int
exists_holds(const char *text, const char *host, struct weir_err *err)
{
	(void)host;
	if (text[0] != '/')
		return weir_failx(err, -EINVAL, "'%s' is no absolute path", text);
	return access(text, F_OK) == 0;
}

static const struct condition conditions[] = {
	{ "host", "match.host", false, host_holds },
	{ "exists", "match.exists", true, exists_holds },
};

/* 1, 0, or -1 for a fault. */
static int
scalar_holds(const struct condition *condition, const struct node *node, const char *host,
	struct report *report)
{
	struct weir_err err = { 0 };

	if (!node_expect(node, NODE_SCALAR, false, condition->where, report))
		return -1;
	if (!*node->value) {
		report_error(report, &node->place, node->width, condition->where, "nothing is given");
		return -1;
	}
	int holds = condition->holds(node->value, host, &err);
	if (holds < 0)
		report_error(report, &node->place, node->width, condition->where, "%s", err.text);
	return holds < 0 ? -1 : holds;
}

static int
condition_holds(const struct condition *condition, const struct node *node, const char *host,
	struct report *report)
{
	bool all = true, any = false, fault = false;

	if (node->kind != NODE_SEQUENCE)
		return scalar_holds(condition, node, host, report);
	for (size_t i = 0; i < node->n; i++) {
		int holds = scalar_holds(condition, node->members[i].value, host, report);
		fault = fault || holds < 0;
		all = all && holds > 0;
		any = any || holds > 0;
	}
	return fault ? -1 : condition->all ? all : any;
}

static int
member_holds(const struct member *member, const char *host, struct report *report)
{
	const char *names[sizeof(conditions) / sizeof(conditions[0])];

	for (size_t i = 0; i < sizeof(conditions) / sizeof(conditions[0]); i++) {
		names[i] = conditions[i].name;
		if (strcmp(member->name, names[i]) == 0)
			return condition_holds(&conditions[i], member->value, host, report);
	}
	report_error(report, &member->place, member->width, "match",
		"no such condition '%s': it knows host and exists", member->name);
	const char *near = text_nearest(member->name, names, sizeof(names) / sizeof(names[0]));
	if (near)
		report_hint(report, "did you mean '%s'?", near);
	return -1;
}

static int
mapping_holds(const struct node *match, const char *host, struct report *report)
{
	bool holds = true, fault = match->partial;

	for (size_t i = 0; i < match->n; i++) {
		int one = member_holds(&match->members[i], host, report);
		fault = fault || one < 0;
		holds = holds && one > 0;
	}
	return fault ? -1 : holds;
}

int
config_match(struct node *root, const char *host, struct arena *arena, struct report *report)
{
	struct member match;

	if (!take(root, &match))
		return 1;
	if (node_sort(arena, root) || substitute(match.value, "match", arena, report))
		return -ENOMEM;
	int holds = -1;
	if (node_expect(match.value, NODE_MAPPING, false, "match", report))
		holds = mapping_holds(match.value, host, report);
	if (holds < 0)
		report_set_incomplete(report);
	return holds > 0;
}

int
config_refuse_match(struct node *root, struct arena *arena, struct report *report)
{
	struct member match;

	if (!take(root, &match))
		return 0;
	report_error(report, &match.place, match.width, "match",
		"stands in drop-ins (conf.d), not in the main file, which is for every host");
	return node_sort(arena, root);
}
