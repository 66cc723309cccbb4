/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The first processor of /proc/cpuinfo: make, model, frequency, whether there is a hypervisor
 * below.
 */
#include "host.h"

#include <sys/utsname.h>

/* Who made an arm64 processor, and which: MIDR_EL1 has numbers only. */
static const struct {
	unsigned number;
	const char *name;
} implementers[] = {
	{ 0x41, "ARM" },
	{ 0x42, "Broadcom" },
	{ 0x43, "Cavium" },
	{ 0x46, "Fujitsu" },
	{ 0x48, "HiSilicon" },
	{ 0x4e, "NVIDIA" },
	{ 0x50, "APM" },
	{ 0x51, "Qualcomm" },
	{ 0x53, "Samsung" },
	{ 0x56, "Marvell" },
	{ 0x61, "Apple" },
	{ 0x6d, "Microsoft" },
	{ 0x70, "Phytium" },
	{ 0xc0, "Ampere" },
};
static const struct {
	unsigned implementer, part;
	const char *name;
} parts[] = {
	{ 0x41, 0xd03, "Cortex-A53" },
	{ 0x41, 0xd04, "Cortex-A35" },
	{ 0x41, 0xd05, "Cortex-A55" },
	{ 0x41, 0xd07, "Cortex-A57" },
	{ 0x41, 0xd08, "Cortex-A72" },
	{ 0x41, 0xd09, "Cortex-A73" },
	{ 0x41, 0xd0a, "Cortex-A75" },
	{ 0x41, 0xd0b, "Cortex-A76" },
	{ 0x41, 0xd0c, "Neoverse-N1" },
	{ 0x41, 0xd40, "Neoverse-V1" },
	{ 0x41, 0xd49, "Neoverse-N2" },
	{ 0x41, 0xd4a, "Neoverse-E1" },
	{ 0x41, 0xd4f, "Neoverse-V2" },
	{ 0x41, 0xd83, "Neoverse-V3AE" },
	{ 0x41, 0xd84, "Neoverse-V3" },
	{ 0x41, 0xd8e, "Neoverse-N3" },
	{ 0x43, 0x0a1, "ThunderX" },
	{ 0x43, 0x0af, "ThunderX2" },
	{ 0x46, 0x001, "A64FX" },
	{ 0x48, 0xd01, "Kunpeng-920" },
	{ 0x4e, 0x004, "Carmel" },
	{ 0xc0, 0xac3, "Ampere-1" },
	{ 0xc0, 0xac4, "Ampere-1a" },
};

/* What the lines of one processor say; empty: not said. */
struct processor {
	struct weir_scan vendor, model_name, family, model, stepping, microcode, flags, implementer,
		architecture, variant, part, revision, isa;
};

static void
trim(struct weir_scan *s)
{
	weir_scan_blanks(s);
	while (s->end > s->at && (s->end[-1] == ' ' || s->end[-1] == '\t'))
		s->end--;
}

static void
parse(struct weir_scan text, struct processor *p)
{
	const struct {
		const char *key;
		struct weir_scan *value;
	} keys[] = {
		{ "vendor_id", &p->vendor },
		{ "model name", &p->model_name },
		{ "Model Name", &p->model_name },
		{ "cpu", &p->model_name },
		{ "uarch", &p->model_name },
		{ "cpu family", &p->family },
		{ "model", &p->model },
		{ "stepping", &p->stepping },
		{ "microcode", &p->microcode },
		{ "flags", &p->flags },
		{ "CPU implementer", &p->implementer },
		{ "CPU architecture", &p->architecture },
		{ "CPU variant", &p->variant },
		{ "CPU part", &p->part },
		{ "CPU revision", &p->revision },
		{ "isa", &p->isa },
	};
	struct weir_scan line, key;

	while (weir_scan_whole_line(&text, &line) && weir_scan_left(&line)) {
		if (!weir_scan_until(&line, ':', &key))
			continue;
		trim(&key);
		trim(&line);
		for (size_t i = 0; i < WEIR_COUNT(keys); i++)
			if (weir_scan_is(&key, keys[i].key) && !keys[i].value->at)
				*keys[i].value = line;
	}
}

static bool
number(struct weir_scan word, uint64_t *value)
{
	bool good =
		weir_scan_prefix(&word, "0x") ? weir_scan_hex(&word, value) : weir_scan_u64(&word, value);

	return good && word.at == word.end;
}

static void
fact_number_text(struct facts *f, size_t column, struct weir_scan text)
{
	uint64_t value;

	if (number(text, &value))
		fact_number(f, column, value);
}

static void
arm_facts(struct facts *f, const struct processor *p)
{
	uint64_t implementer, part, variant, revision;

	fact_number_text(f, CPU_FAMILY, p->architecture);
	fact_number_text(f, CPU_MODEL_NUMBER, p->part);
	if (number(p->variant, &variant) && number(p->revision, &revision))
		fact_number(f, CPU_STEPPING, variant << 4 | revision);
	if (!number(p->implementer, &implementer))
		return;
	for (size_t i = 0; i < WEIR_COUNT(implementers); i++)
		if (implementers[i].number == implementer)
			fact_text(f, CPU_VENDOR, implementers[i].name, strlen(implementers[i].name));
	if (p->model_name.at || !number(p->part, &part))
		return;
	for (size_t i = 0; i < WEIR_COUNT(parts); i++)
		if (parts[i].implementer == implementer && parts[i].part == part)
			fact_text(f, CPU_MODEL, parts[i].name, strlen(parts[i].name));
}

static bool
has_flag(struct weir_scan flags, const char *flag)
{
	for (struct weir_scan word; weir_scan_word(&flags, &word);)
		if (weir_scan_is(&word, flag))
			return true;
	return false;
}

/* "... CPU E5-2680 v4 @ 2.40GHz" in Hz; 0 when the name has no frequency. */
static uint64_t
frequency_in_name(struct weir_scan name)
{
	struct weir_scan part;
	int64_t count;

	if (!weir_scan_until(&name, '@', &part) || weir_scan_left(&name) < 4)
		return 0;
	name.end -= 3;
	uint64_t factor = !memcmp(name.end, "GHz", 3) ? 1000 : !memcmp(name.end, "MHz", 3) ? 1 : 0;

	if (!factor || !weir_scan_decimal(&name, 1000000, &count) || name.at != name.end || count <= 0)
		return 0;
	return (uint64_t)count * factor;
}

/* The driver's base frequency; Intel writes it into the name, AMD into the CPPC table. */
static void
frequencies(struct facts *f, const struct processor *p)
{
	uint64_t value, in_name = frequency_in_name(p->model_name);

	if (host_number(f->host, &value, "/sys/devices/system/cpu/cpu0/cpufreq/base_frequency") &&
		value)
		fact_number(f, NOMINAL_FREQUENCY, value * 1000);
	else if (in_name)
		fact_number(f, NOMINAL_FREQUENCY, in_name);
	else if (host_number(f->host, &value, "/sys/devices/system/cpu/cpu0/acpi_cppc/nominal_freq") &&
			 value)
		fact_number(f, NOMINAL_FREQUENCY, value * 1000000);
	fact_number_file(
		f, MAX_FREQUENCY, 1000, "/sys/devices/system/cpu/cpu0/cpufreq/cpuinfo_max_freq");
}

/*
 * The kernel names its architecture since 6.1; uname is of this machine; else the processor tells.
 */
static void
machine(struct facts *f, const struct processor *p)
{
	char text[64];
	struct weir_scan line;
	struct utsname name;
	uint64_t architecture;
	const char *guess = NULL;

	if (host_line(f->host, text, sizeof(text), &line, "/proc/sys/kernel/arch") &&
		weir_scan_left(&line)) {
		fact_scan(f, MACHINE, &line);
		return;
	}
	if (weir_live(f->host->ctx) && !uname(&name))
		guess = name.machine;
	else if (p->flags.at && has_flag(p->flags, "fpu"))
		guess = has_flag(p->flags, "lm") ? "x86_64" : "i686";
	else if (number(p->architecture, &architecture) && architecture >= 8)
		guess = "aarch64";
	else if (p->isa.at && weir_scan_left(&p->isa) > 4 && !memcmp(p->isa.at, "rv64", 4))
		guess = "riscv64";
	if (guess)
		fact_text(f, MACHINE, guess, strlen(guess));
}

/* Words that firmware tables of virtual machines hold. */
static const char *
hypervisor_of_firmware(const struct host *h)
{
	static const char *const files[] = { "product_name", "sys_vendor", "board_vendor",
		"bios_vendor" };
	static const struct {
		const char *word, *name;
	} words[] = {
		{ "KVM", "kvm" },
		{ "OpenStack", "kvm" },
		{ "KubeVirt", "kvm" },
		{ "Amazon EC2", "amazon" },
		{ "Google Compute Engine", "google" },
		{ "QEMU", "qemu" },
		{ "VMware", "vmware" },
		{ "VMW", "vmware" },
		{ "VirtualBox", "oracle" },
		{ "innotek GmbH", "oracle" },
		{ "Xen", "xen" },
		{ "Bochs", "bochs" },
		{ "Parallels", "parallels" },
		{ "BHYVE", "bhyve" },
		{ "Hyper-V", "microsoft" },
		{ "Virtual Machine", "microsoft" },
		{ "Apple Virtualization", "apple" },
	};

	for (size_t i = 0; i < WEIR_COUNT(files); i++) {
		char text[256];
		struct weir_scan line;

		if (!host_line(h, text, sizeof(text), &line, "/sys/class/dmi/id/%s", files[i]))
			continue;
		for (size_t k = 0; k < WEIR_COUNT(words); k++)
			if (memmem(line.at, weir_scan_left(&line), words[k].word, strlen(words[k].word)))
				return words[k].name;
	}
	return NULL;
}

static void
virtualization(struct facts *f, const struct processor *p)
{
	char text[64];
	struct weir_scan type;

	if (host_line(f->host, text, sizeof(text), &type, "/sys/hypervisor/type") &&
		weir_scan_left(&type)) {
		fact_scan(f, VIRTUALIZATION, &type);
		return;
	}
	const char *name = NULL;

	/* Bare metal of a cloud names the cloud too: on x86 the processor's flag decides. */
	if (p->flags.at && !has_flag(p->flags, "hypervisor"))
		name = "none";
	else
		name = hypervisor_of_firmware(f->host);
	if (!name && p->flags.at)
		name = "vm-other"; /* as systemd-detect-virt says it */
	if (name)
		fact_text(f, VIRTUALIZATION, name, strlen(name));
}

void
host_cpu(struct facts *f)
{
	/* One processor takes 2 KiB; each further one would cost the kernel a look at it. */
	char text[8192];
	struct processor p = { 0 };
	ssize_t size = host_read(f->host, text, sizeof(text), "/proc/cpuinfo");

	if (size > 0)
		parse(weir_scan(text, (size_t)size), &p);
	if (p.implementer.at) {
		arm_facts(f, &p);
	} else {
		fact_scan(f, CPU_VENDOR, &p.vendor);
		fact_number_text(f, CPU_FAMILY, p.family);
		fact_number_text(f, CPU_MODEL_NUMBER, p.model);
		fact_number_text(f, CPU_STEPPING, p.stepping);
	}
	fact_scan(f, CPU_MODEL, &p.model_name);
	fact_scan(f, MICROCODE, &p.microcode);
	frequencies(f, &p);
	machine(f, &p);
	virtualization(f, &p);
}
