/* SPDX-License-Identifier: Apache-2.0 */
/* State and nature of interfaces, from sysfs. */
#include "netdev.h"

/*
 * Mbit/s; -1 is unknown, of kernels before 2.6.39 as an unsigned number; an interface that is down
 * gives EINVAL.
 */
static bool
read_speed(const struct netdev *s, const char *name, uint64_t *speed)
{
	uint64_t megabits = 0;

	if (!weir_slurp_u64(s->ctx, &megabits, "/sys/class/net/%s/speed", name) ||
		megabits >= UINT32_MAX)
		return false;
	*speed = megabits * 1000000;
	return true;
}

void
state_read(const struct netdev *s, struct interface *interface)
{
	struct state *state = &interface->state;
	const char *name = interface->name;
	char text[32];

	*state = (struct state){ 0 };
	state->has_speed = read_speed(s, name, &state->speed);
	state->has_mtu = weir_slurp_u64(s->ctx, &state->mtu, "/sys/class/net/%s/mtu", name);
	state->has_carrier_changes =
		weir_slurp_u64(s->ctx, &state->carrier_changes, "/sys/class/net/%s/carrier_changes", name);
	state->has_up = weir_slurp(s->ctx, text, sizeof(text), "/sys/class/net/%s/operstate", name) > 0;
	state->up = state->has_up && !strcmp(text, "up");
	interface->known = true;
}

/* "0000:3b:00.0" */
static bool
is_pci(const char *address)
{
	const char *colon = strchr(address, ':');

	return colon && strchr(colon + 1, ':') && strchr(colon, '.');
}

/* False where sysfs does not have the interface. */
bool
info_read(const struct netdev *s, const struct interface *interface, struct info *info)
{
	const char *name = interface->name;

	memset(info, 0, sizeof(*info));
	if (!weir_exists(s->ctx, "/sys/class/net/%s/", name))
		return false;
	(void)weir_slurp(
		s->ctx, info->address, sizeof(info->address), "/sys/class/net/%s/address", name);
	(void)weir_slurp(s->ctx, info->duplex, sizeof(info->duplex), "/sys/class/net/%s/duplex", name);
	if (!strcmp(info->duplex, "unknown"))
		memset(info->duplex, 0, sizeof(info->duplex));
	(void)weir_link_name(
		s->ctx, info->driver, sizeof(info->driver), "/sys/class/net/%s/device/driver", name);
	(void)weir_link_name(s->ctx, info->pci, sizeof(info->pci), "/sys/class/net/%s/device", name);
	if (!is_pci(info->pci))
		memset(info->pci, 0, sizeof(info->pci));
	if (weir_exists(s->ctx, "/sys/class/net/%s/master/bonding", name))
		(void)weir_link_name(
			s->ctx, info->bond_master, sizeof(info->bond_master), "/sys/class/net/%s/master", name);
	info->has_numa_node =
		weir_slurp_u64(s->ctx, &info->numa_node, "/sys/class/net/%s/device/numa_node", name);
	info->has_speed = interface->state.has_speed;
	info->speed = interface->state.speed;
	return true;
}
