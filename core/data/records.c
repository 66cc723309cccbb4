/* SPDX-License-Identifier: Apache-2.0 */
/* The schemas of records as constant tables. */
#include <weir/records.h>

#define HIGH_KEY_STR(n, h) \
	{ \
		.name = n, .type = WEIR_STR, .role = WEIR_KEY, .flags = WEIR_HIGH_CARDINALITY, .help = h \
	}
#define HIGH_KEY_I64(n, u, h) \
	{ \
		.name = n, .type = WEIR_I64, .role = WEIR_KEY, .unit = u, .flags = WEIR_HIGH_CARDINALITY, \
		.help = h \
	}

static const struct weir_column job_columns[] = {
	[WEIR_JOB_CLUSTER] = WEIR_KEY_STR("cluster", "cluster that the record belongs to"),
	[WEIR_JOB_JOB_ID] = HIGH_KEY_STR("job_id",
		"job as its users write it: 123, array task 123_4, 123.4, 12[3].server "
		"or 123[4]"),
	[WEIR_JOB_ATTEMPT] = HIGH_KEY_I64("attempt", "1",
		"tells runs of one submission apart: start or submit time in seconds, 0"
		" while waiting"),
	[WEIR_JOB_NATIVE_ID] =
		WEIR_LABEL_STR("native_id", "identifier that the node sees in cgroups and the environment"),
	[WEIR_JOB_SLUID] =
		WEIR_LABEL_STR("sluid", "Slurm's cluster-wide unique identifier (26.05 and later)"),
	[WEIR_JOB_JOB_NUMBER] = WEIR_GAUGE_U64("job_number", "1", "numeric identifier of the job"),
	[WEIR_JOB_ARRAY_JOB] =
		WEIR_LABEL_STR("array_job", "identifier of the array that the job is a part of"),
	[WEIR_JOB_ARRAY_TASK] = WEIR_GAUGE_I64("array_task", "1", "index within the array"),
	[WEIR_JOB_HET_JOB] = WEIR_LABEL_STR(
		"het_job", "identifier of the heterogeneous job that the job is a component of"),
	[WEIR_JOB_HET_OFFSET] =
		WEIR_GAUGE_I64("het_offset", "1", "index of the component within the heterogeneous job"),
	[WEIR_JOB_NAME] = WEIR_LABEL_STR("name", "name that the user gave the job"),
	[WEIR_JOB_USER_NAME] = WEIR_LABEL_STR("user_name", "user who owns the job"),
	[WEIR_JOB_GROUP_NAME] = WEIR_LABEL_STR("group_name", "group that the job ran under"),
	[WEIR_JOB_ACCOUNT] = WEIR_LABEL_STR("account", "account that is charged"),
	[WEIR_JOB_PROJECT] = WEIR_LABEL_STR(
		"project", "project, from the field that the parser was told to take it from"),
	[WEIR_JOB_DEPARTMENT] = WEIR_LABEL_STR("department", "department of the owner"),
	[WEIR_JOB_PARTITION] = WEIR_LABEL_STR("partition", "partition or queue that the job ran in"),
	[WEIR_JOB_QOS] = WEIR_LABEL_STR("qos", "quality of service"),
	[WEIR_JOB_RESERVATION] = WEIR_LABEL_STR("reservation", "advance reservation that the job used"),
	[WEIR_JOB_PARALLEL_ENV] = WEIR_LABEL_STR("parallel_env", "parallel environment"),
	[WEIR_JOB_STATE] = WEIR_LABEL_STR("state",
		"pending, running, suspended, completed, failed, cancelled, timeout, "
		"out_of_memory, node_fail, boot_fail, deadline, preempted, requeued, "
		"revoked or unknown"),
	[WEIR_JOB_EXIT_CODE] = WEIR_GAUGE_I64("exit_code", "1", "exit code, apart from a signal"),
	[WEIR_JOB_EXIT_SIGNAL] = WEIR_GAUGE_I64("exit_signal", "1", "signal that ended the job"),
	[WEIR_JOB_FAILED] = WEIR_GAUGE_I64("failed", "1", "the scheduler's own failure code"),
	[WEIR_JOB_REASON] = WEIR_LABEL_STR("reason", "the scheduler's words for the state"),
	[WEIR_JOB_SUBMIT_TIME] = WEIR_LABEL_TIME("submit_time", "when the job was submitted"),
	[WEIR_JOB_ELIGIBLE_TIME] =
		WEIR_LABEL_TIME("eligible_time", "when the job could first have started"),
	[WEIR_JOB_START_TIME] = WEIR_LABEL_TIME("start_time", "when the job started"),
	[WEIR_JOB_END_TIME] = WEIR_LABEL_TIME("end_time", "when the job ended"),
	[WEIR_JOB_WALL_TIME] = WEIR_GAUGE_F64("wall_time", "s",
		"run time as accounted, without suspension where the scheduler leaves "
		"it out"),
	[WEIR_JOB_WAIT_TIME] = WEIR_GAUGE_F64("wait_time", "s", "time from submission to start"),
	[WEIR_JOB_TIME_LIMIT] = WEIR_GAUGE_F64(
		"time_limit", "s", "run time that was granted; missing when unlimited or unknown"),
	[WEIR_JOB_SLOTS] = WEIR_GAUGE_U64("slots", "1", "CPUs or slots allocated"),
	[WEIR_JOB_NODES] = WEIR_GAUGE_U64("nodes", "1", "hosts allocated"),
	[WEIR_JOB_GPUS] = WEIR_GAUGE_U64("gpus", "1", "GPUs allocated"),
	[WEIR_JOB_SLOTS_REQUESTED] =
		WEIR_GAUGE_U64("slots_requested", "1", "CPUs or slots asked for, of the whole job"),
	[WEIR_JOB_MEM_REQUESTED] =
		WEIR_GAUGE_U64("mem_requested", "By", "memory asked for, of the whole job"),
	[WEIR_JOB_CPU_TIME] = WEIR_GAUGE_F64("cpu_time", "s", "CPU time used"),
	[WEIR_JOB_CPU_USER_TIME] = WEIR_GAUGE_F64("cpu_user_time", "s", "CPU time used in user mode"),
	[WEIR_JOB_CPU_SYSTEM_TIME] =
		WEIR_GAUGE_F64("cpu_system_time", "s", "CPU time used in the kernel"),
	[WEIR_JOB_MEM_MAX] = WEIR_GAUGE_U64("mem_max", "By", "largest resident size"),
	[WEIR_JOB_VMEM_MAX] = WEIR_GAUGE_U64("vmem_max", "By", "largest virtual size"),
	[WEIR_JOB_MEM_INTEGRAL] =
		WEIR_GAUGE_F64("mem_integral", "By.s", "memory used, integrated over time"),
	[WEIR_JOB_IO_BYTES] = WEIR_GAUGE_F64("io_bytes", "By", "bytes read and written"),
	[WEIR_JOB_IO_WAIT_TIME] =
		WEIR_GAUGE_F64("io_wait_time", "s", "time spent waiting for input and output"),
	[WEIR_JOB_ENERGY] = WEIR_GAUGE_F64("energy", "J", "energy consumed"),
	[WEIR_JOB_NODE_LIST] =
		WEIR_LABEL_STR("node_list", "hosts of the job as a compact list: n[1-4,7]"),
	[WEIR_JOB_SUBMIT_HOST] = WEIR_LABEL_STR("submit_host", "host that the job was submitted from"),
	[WEIR_JOB_WORK_DIR] = WEIR_LABEL_STR("work_dir", "working directory"),
	[WEIR_JOB_COMMAND] = WEIR_LABEL_STR("command", "command or script that was submitted"),
	[WEIR_JOB_COMMENT] = WEIR_LABEL_STR("comment", "comment of the user or the administrator"),
	[WEIR_JOB_SHAPE] = WEIR_LABEL_STR("shape", "sequential (1 slot), one_node or multi_node"),
	[WEIR_JOB_USAGE_VALID] = WEIR_LABEL_BOOL(
		"usage_valid", "false where the scheduler says that the usage cannot be trusted"),
	[WEIR_JOB_ORIGIN] = WEIR_LABEL_STR("origin", "parser that made the record"),
};

static const char *const job_indexes[] = { "end_time", "user_name, start_time", "native_id", NULL };

const struct weir_schema weir_schema_job = {
	.name = "job",
	.help = "one run of a job, as accounting or the scheduler reports it",
	.flags = WEIR_ENTITY,
	.n_keys = 3,
	.n_columns = WEIR_COUNT(job_columns),
	.columns = job_columns,
	.indexes = job_indexes,
};

static const struct weir_column job_task_columns[] = {
	[WEIR_JOB_TASK_CLUSTER] = WEIR_KEY_STR("cluster", "cluster that the record belongs to"),
	[WEIR_JOB_TASK_JOB_ID] = HIGH_KEY_STR("job_id",
		"job as its users write it: 123, array task 123_4, 123.4, 12[3].server "
		"or 123[4]"),
	[WEIR_JOB_TASK_ATTEMPT] = HIGH_KEY_I64("attempt", "1",
		"tells runs of one submission apart: start or submit time in seconds, 0"
		" while waiting"),
	[WEIR_JOB_TASK_TASK] = HIGH_KEY_STR("task",
		"step or task within the job: batch, extern, 0, or the identifier of a "
		"slave task"),
	[WEIR_JOB_TASK_USER_NAME] = WEIR_LABEL_STR("user_name", "user who owns the job"),
	[WEIR_JOB_TASK_GROUP_NAME] = WEIR_LABEL_STR("group_name", "group that the job ran under"),
	[WEIR_JOB_TASK_ACCOUNT] = WEIR_LABEL_STR("account", "account that is charged"),
	[WEIR_JOB_TASK_PROJECT] = WEIR_LABEL_STR("project", "project of the job"),
	[WEIR_JOB_TASK_DEPARTMENT] = WEIR_LABEL_STR("department", "department of the owner"),
	[WEIR_JOB_TASK_PARTITION] =
		WEIR_LABEL_STR("partition", "partition or queue that the job ran in"),
	[WEIR_JOB_TASK_SUBMIT_TIME] = WEIR_LABEL_TIME("submit_time", "when the job was submitted"),
	[WEIR_JOB_TASK_NAME] = WEIR_LABEL_STR("name", "name of the step"),
	[WEIR_JOB_TASK_HOST] = WEIR_LABEL_STR("host", "host that the task ran on"),
	[WEIR_JOB_TASK_NODE_LIST] =
		WEIR_LABEL_STR("node_list", "hosts of the step as a compact list: n[1-4,7]"),
	[WEIR_JOB_TASK_STATE] =
		WEIR_LABEL_STR("state", "how the step stands or ended, in the words of the job state"),
	[WEIR_JOB_TASK_EXIT_CODE] = WEIR_GAUGE_I64("exit_code", "1", "exit code, apart from a signal"),
	[WEIR_JOB_TASK_EXIT_SIGNAL] = WEIR_GAUGE_I64("exit_signal", "1", "signal that ended the task"),
	[WEIR_JOB_TASK_START_TIME] = WEIR_LABEL_TIME("start_time", "when the task started"),
	[WEIR_JOB_TASK_END_TIME] = WEIR_LABEL_TIME("end_time", "when the task ended"),
	[WEIR_JOB_TASK_WALL_TIME] = WEIR_GAUGE_F64("wall_time", "s", "run time as accounted"),
	[WEIR_JOB_TASK_SLOTS] = WEIR_GAUGE_U64("slots", "1", "CPUs or slots allocated"),
	[WEIR_JOB_TASK_TASKS] = WEIR_GAUGE_U64("tasks", "1", "tasks started in the step"),
	[WEIR_JOB_TASK_CPU_TIME] = WEIR_GAUGE_F64("cpu_time", "s", "CPU time used"),
	[WEIR_JOB_TASK_CPU_USER_TIME] =
		WEIR_GAUGE_F64("cpu_user_time", "s", "CPU time used in user mode"),
	[WEIR_JOB_TASK_CPU_SYSTEM_TIME] =
		WEIR_GAUGE_F64("cpu_system_time", "s", "CPU time used in the kernel"),
	[WEIR_JOB_TASK_MEM_MAX] = WEIR_GAUGE_U64("mem_max", "By", "largest resident size"),
	[WEIR_JOB_TASK_VMEM_MAX] = WEIR_GAUGE_U64("vmem_max", "By", "largest virtual size"),
	[WEIR_JOB_TASK_MEM_INTEGRAL] =
		WEIR_GAUGE_F64("mem_integral", "By.s", "memory used, integrated over time"),
	[WEIR_JOB_TASK_IO_BYTES] = WEIR_GAUGE_F64("io_bytes", "By", "bytes read and written"),
	[WEIR_JOB_TASK_IO_WAIT_TIME] =
		WEIR_GAUGE_F64("io_wait_time", "s", "time spent waiting for input and output"),
	[WEIR_JOB_TASK_READ_BYTES] = WEIR_GAUGE_F64("read_bytes", "By", "bytes read"),
	[WEIR_JOB_TASK_WRITE_BYTES] = WEIR_GAUGE_F64("write_bytes", "By", "bytes written"),
	[WEIR_JOB_TASK_ENERGY] = WEIR_GAUGE_F64("energy", "J", "energy consumed"),
	[WEIR_JOB_TASK_FAILED] = WEIR_GAUGE_I64("failed", "1", "the scheduler's own failure code"),
	[WEIR_JOB_TASK_INCLUDED] = WEIR_LABEL_BOOL("included",
		"true when the job's own usage already contains this task's, false when"
		" it adds to it"),
};

const struct weir_schema weir_schema_job_task = {
	.name = "job_task",
	.help = "steps of a job and its slave tasks",
	.flags = WEIR_ENTITY,
	.n_keys = 4,
	.n_columns = WEIR_COUNT(job_task_columns),
	.columns = job_task_columns,
};

static const struct weir_column job_host_columns[] = {
	[WEIR_JOB_HOST_CLUSTER] = WEIR_KEY_STR("cluster", "cluster that the record belongs to"),
	[WEIR_JOB_HOST_JOB_ID] = HIGH_KEY_STR("job_id",
		"job as its users write it: 123, array task 123_4, 123.4, 12[3].server "
		"or 123[4]"),
	[WEIR_JOB_HOST_ATTEMPT] = HIGH_KEY_I64("attempt", "1",
		"tells runs of one submission apart: start or submit time in seconds, 0"
		" while waiting"),
	[WEIR_JOB_HOST_HOST] = WEIR_KEY_STR("host", "host, by its short name"),
	[WEIR_JOB_HOST_SLOTS] = WEIR_GAUGE_U64("slots", "1", "CPUs or slots of the job on this host"),
	[WEIR_JOB_HOST_GPUS] = WEIR_GAUGE_U64("gpus", "1", "GPUs of the job on this host"),
	[WEIR_JOB_HOST_START_TIME] = WEIR_LABEL_TIME("start_time", "when the job started"),
	[WEIR_JOB_HOST_END_TIME] = WEIR_LABEL_TIME("end_time", "when the job ended"),
};

static const char *const job_host_indexes[] = { "host, start_time", NULL };

const struct weir_schema weir_schema_job_host = {
	.name = "job_host",
	.help = "hosts that a run of a job had, by accounting",
	.flags = WEIR_ENTITY,
	.n_keys = 4,
	.n_columns = WEIR_COUNT(job_host_columns),
	.columns = job_host_columns,
	.indexes = job_host_indexes,
};

static const struct weir_column job_on_host_columns[] = {
	[WEIR_JOB_ON_HOST_CLUSTER] = WEIR_KEY_STR("cluster", "cluster that the record belongs to"),
	[WEIR_JOB_ON_HOST_HOST] = WEIR_KEY_STR("host", "host that saw the job"),
	[WEIR_JOB_ON_HOST_JOB_NATIVE] =
		HIGH_KEY_STR("job_native", "identifier that the node sees in cgroups and the environment"),
	[WEIR_JOB_ON_HOST_STARTED] =
		HIGH_KEY_I64("started", "s", "when the node first saw the job, in seconds since the epoch"),
	[WEIR_JOB_ON_HOST_STEP_COUNT] = WEIR_GAUGE_U64("step_count", "1", "steps seen"),
	[WEIR_JOB_ON_HOST_ENDED] = WEIR_LABEL_TIME("ended", "when the job left the node"),
	[WEIR_JOB_ON_HOST_USER_NAME] = WEIR_LABEL_STR("user_name", "user who owns the job"),
	[WEIR_JOB_ON_HOST_UID] = WEIR_GAUGE_I64("uid", "1", "numeric identifier of the user"),
	[WEIR_JOB_ON_HOST_SCHEDULER] = WEIR_LABEL_STR("scheduler", "scheduler that the job belongs to"),
	[WEIR_JOB_ON_HOST_CGROUP] = WEIR_LABEL_STR("cgroup", "control group of the job"),
	[WEIR_JOB_ON_HOST_CPUS] = WEIR_LABEL_STR("cpus", "CPUs that the job may use: 0-3,8"),
	[WEIR_JOB_ON_HOST_MEMS] =
		WEIR_LABEL_STR("mems", "NUMA nodes that the job may allocate from: 0-1"),
	[WEIR_JOB_ON_HOST_GPUS] = WEIR_LABEL_STR("gpus", "GPUs of the job as a list of their UUIDs"),
	[WEIR_JOB_ON_HOST_MEMORY_LIMIT] =
		WEIR_GAUGE_U64("memory_limit", "By", "memory that the job may use"),
	[WEIR_JOB_ON_HOST_KNOWN_FROM] = WEIR_LABEL_STR("known_from", "what told of the job"),
};

static const char *const job_on_host_indexes[] = { "job_native", NULL };

const struct weir_schema weir_schema_job_on_host = {
	.name = "job_on_host",
	.help = "what a node itself saw of a job",
	.flags = WEIR_ENTITY,
	.n_keys = 4,
	.n_columns = WEIR_COUNT(job_on_host_columns),
	.columns = job_on_host_columns,
	.indexes = job_on_host_indexes,
};

static const struct weir_column job_pending_columns[] = {
	[WEIR_JOB_PENDING_CLUSTER] = WEIR_KEY_STR("cluster", "cluster that the record belongs to"),
	[WEIR_JOB_PENDING_JOB_ID] = HIGH_KEY_STR("job_id",
		"job as its users write it: 123, array task 123_4, 123.4, 12[3].server "
		"or 123[4]"),
	[WEIR_JOB_PENDING_NATIVE_ID] = WEIR_LABEL_STR("native_id", "identifier that the node will see"),
	[WEIR_JOB_PENDING_COUNT] = WEIR_GAUGE_U64("count", "1", "array tasks that wait in this entry"),
	[WEIR_JOB_PENDING_USER_NAME] = WEIR_LABEL_STR("user_name", "user who owns the job"),
	[WEIR_JOB_PENDING_GROUP_NAME] =
		WEIR_LABEL_STR("group_name", "group that the job will run under"),
	[WEIR_JOB_PENDING_ACCOUNT] = WEIR_LABEL_STR("account", "account that will be charged"),
	[WEIR_JOB_PENDING_PROJECT] = WEIR_LABEL_STR("project", "project of the job"),
	[WEIR_JOB_PENDING_PARTITION] =
		WEIR_LABEL_STR("partition", "partition or queue that the job waits in"),
	[WEIR_JOB_PENDING_REASON] =
		WEIR_LABEL_STR("reason", "why the job waits, in the words of the scheduler"),
	[WEIR_JOB_PENDING_SUBMIT_TIME] = WEIR_LABEL_TIME("submit_time", "when the job was submitted"),
	[WEIR_JOB_PENDING_ELIGIBLE_TIME] =
		WEIR_LABEL_TIME("eligible_time", "when the job can first start"),
	[WEIR_JOB_PENDING_SLOTS_REQUESTED] =
		WEIR_GAUGE_U64("slots_requested", "1", "CPUs or slots asked for"),
	[WEIR_JOB_PENDING_TIME_LIMIT] = WEIR_GAUGE_F64("time_limit", "s", "run time asked for"),
};

const struct weir_schema weir_schema_job_pending = {
	.name = "job_pending",
	.help = "waiting jobs and array parts as the scheduler lists them",
	.flags = WEIR_ENTITY,
	.n_keys = 2,
	.n_columns = WEIR_COUNT(job_pending_columns),
	.columns = job_pending_columns,
};

static const struct weir_column project_columns[] = {
	[WEIR_PROJECT_PROJECT] = WEIR_KEY_STR("project", "name of the project"),
	[WEIR_PROJECT_TITLE] = WEIR_LABEL_STR("title", "title of the project"),
	[WEIR_PROJECT_PI] = WEIR_LABEL_STR("pi", "principal investigator"),
	[WEIR_PROJECT_DOMAIN] = WEIR_LABEL_STR("domain", "domain of science"),
	[WEIR_PROJECT_GROUP_NAME] = WEIR_LABEL_STR("group_name", "group of the members"),
};

const struct weir_schema weir_schema_project = {
	.name = "project",
	.help = "projects that allocations are granted to",
	.flags = WEIR_ENTITY,
	.n_keys = 1,
	.n_columns = WEIR_COUNT(project_columns),
	.columns = project_columns,
};

static const struct weir_column allocation_columns[] = {
	[WEIR_ALLOCATION_PROJECT] = WEIR_KEY_STR("project", "name of the project"),
	[WEIR_ALLOCATION_CLUSTER] = WEIR_KEY_STR("cluster", "cluster that the record belongs to"),
	[WEIR_ALLOCATION_RESOURCE] = WEIR_KEY_STR("resource", "what is granted"),
	[WEIR_ALLOCATION_START_TIME] = { .name = "start_time",
		.type = WEIR_I64,
		.role = WEIR_KEY,
		.unit = "s",
		.help = "when the grant begins, in seconds since the epoch" },
	[WEIR_ALLOCATION_AMOUNT] =
		WEIR_GAUGE_F64("amount", "1", "how much is granted, in the unit of the column unit"),
	[WEIR_ALLOCATION_UNIT] = WEIR_LABEL_STR("unit", "unit of the amount"),
	[WEIR_ALLOCATION_END_TIME] = WEIR_LABEL_TIME("end_time", "when the grant ends"),
};

const struct weir_schema weir_schema_allocation = {
	.name = "allocation",
	.help = "resources granted to a project",
	.flags = WEIR_ENTITY,
	.n_keys = 4,
	.n_columns = WEIR_COUNT(allocation_columns),
	.columns = allocation_columns,
};

static const struct weir_column project_member_columns[] = {
	[WEIR_PROJECT_MEMBER_PROJECT] = WEIR_KEY_STR("project", "name of the project"),
	[WEIR_PROJECT_MEMBER_USER_NAME] = WEIR_KEY_STR("user_name", "user who belongs to it"),
	[WEIR_PROJECT_MEMBER_ROLE] = WEIR_LABEL_STR("role", "role of the user in the project"),
	[WEIR_PROJECT_MEMBER_START_TIME] = WEIR_LABEL_TIME("start_time", "when the membership began"),
	[WEIR_PROJECT_MEMBER_END_TIME] = WEIR_LABEL_TIME("end_time", "when the membership ends"),
};

static const char *const project_member_indexes[] = { "user_name", NULL };

const struct weir_schema weir_schema_project_member = {
	.name = "project_member",
	.help = "who belongs to a project",
	.flags = WEIR_ENTITY,
	.n_keys = 2,
	.n_columns = WEIR_COUNT(project_member_columns),
	.columns = project_member_columns,
	.indexes = project_member_indexes,
};

static const struct weir_column metagroup_columns[] = {
	[WEIR_METAGROUP_KIND] =
		WEIR_KEY_STR("kind", "what the pattern is matched with: user, group or host"),
	[WEIR_METAGROUP_POSITION] = WEIR_KEY_I64("position", "place of the rule in its list"),
	[WEIR_METAGROUP_PATTERN] = WEIR_LABEL_STR("pattern", "pattern of names"),
	[WEIR_METAGROUP_METAGROUP] =
		WEIR_LABEL_STR("metagroup", "metagroup of the users and groups that match"),
	[WEIR_METAGROUP_CLUSTER_PART] =
		WEIR_LABEL_STR("cluster_part", "part of the cluster of the hosts that match"),
};

const struct weir_schema weir_schema_metagroup = {
	.name = "metagroup",
	.help = "rules that map users and groups to metagroups and hosts to parts of a cluster; the "
			"first hit wins",
	.flags = WEIR_ENTITY,
	.n_keys = 2,
	.n_columns = WEIR_COUNT(metagroup_columns),
	.columns = metagroup_columns,
};

static const struct weir_column darshan_log_columns[] = {
	[WEIR_DARSHAN_LOG_CLUSTER] = WEIR_KEY_STR("cluster", "cluster that the record belongs to"),
	[WEIR_DARSHAN_LOG_LOG] = HIGH_KEY_STR("log", "file name of the log, without directories"),
	[WEIR_DARSHAN_LOG_JOB_NATIVE] = WEIR_LABEL_STR("job_native", "job identifier in the log"),
	[WEIR_DARSHAN_LOG_UID] = WEIR_GAUGE_I64("uid", "1", "numeric identifier of the user"),
	[WEIR_DARSHAN_LOG_USER_NAME] = WEIR_LABEL_STR("user_name", "user who ran the program"),
	[WEIR_DARSHAN_LOG_PROJECT] = WEIR_LABEL_STR("project", "project of the job"),
	[WEIR_DARSHAN_LOG_EXE] = WEIR_LABEL_STR("exe", "program with its arguments"),
	[WEIR_DARSHAN_LOG_NPROCS] = WEIR_GAUGE_U64("nprocs", "1", "processes of the program"),
	[WEIR_DARSHAN_LOG_START_TIME] = WEIR_LABEL_TIME("start_time", "when the program started"),
	[WEIR_DARSHAN_LOG_END_TIME] = WEIR_LABEL_TIME("end_time", "when the program ended"),
	[WEIR_DARSHAN_LOG_RUN_TIME] = WEIR_GAUGE_F64("run_time", "s", "run time of the program"),
	[WEIR_DARSHAN_LOG_LOG_VERSION] = WEIR_LABEL_STR("log_version", "version of the log format"),
	[WEIR_DARSHAN_LOG_LIB_VERSION] =
		WEIR_LABEL_STR("lib_version", "version of the Darshan library that wrote the log"),
	[WEIR_DARSHAN_LOG_PARTIAL] = WEIR_LABEL_BOOL(
		"partial", "true where a module ran out of memory and its records are incomplete"),
	[WEIR_DARSHAN_LOG_HOSTNAME] = WEIR_LABEL_STR("hostname", "host that the log names"),
	[WEIR_DARSHAN_LOG_BYTES] = WEIR_GAUGE_U64("bytes", "By", "size of the log"),
};

static const char *const darshan_log_indexes[] = { "job_native", "start_time", NULL };

const struct weir_schema weir_schema_darshan_log = {
	.name = "darshan_log",
	.help = "one Darshan log",
	.flags = WEIR_ENTITY,
	.n_keys = 2,
	.n_columns = WEIR_COUNT(darshan_log_columns),
	.columns = darshan_log_columns,
	.indexes = darshan_log_indexes,
};

static const struct weir_column darshan_module_columns[] = {
	[WEIR_DARSHAN_MODULE_CLUSTER] = WEIR_KEY_STR("cluster", "cluster that the record belongs to"),
	[WEIR_DARSHAN_MODULE_LOG] = HIGH_KEY_STR("log", "file name of the log, without directories"),
	[WEIR_DARSHAN_MODULE_MODULE] =
		WEIR_KEY_STR("module", "Darshan module: POSIX, MPI-IO, STDIO, H5F, H5D, PNETCDF_FILE, "
							   "PNETCDF_VAR, LUSTRE and so on"),
	[WEIR_DARSHAN_MODULE_MODULE_VERSION] =
		WEIR_GAUGE_U64("module_version", "1", "version of the module in the log"),
	[WEIR_DARSHAN_MODULE_STORED_BYTES] =
		WEIR_GAUGE_U64("stored_bytes", "By", "compressed size of the module in the log"),
	[WEIR_DARSHAN_MODULE_RECORDS] = WEIR_GAUGE_U64("records", "1", "records of the module"),
	[WEIR_DARSHAN_MODULE_OPENS] = WEIR_GAUGE_U64("opens", "1", "files opened"),
	[WEIR_DARSHAN_MODULE_READS] = WEIR_GAUGE_U64("reads", "1", "read operations"),
	[WEIR_DARSHAN_MODULE_WRITES] = WEIR_GAUGE_U64("writes", "1", "write operations"),
	[WEIR_DARSHAN_MODULE_SEEKS] = WEIR_GAUGE_U64("seeks", "1", "seek operations"),
	[WEIR_DARSHAN_MODULE_STATS] = WEIR_GAUGE_U64("stats", "1", "stat operations"),
	[WEIR_DARSHAN_MODULE_FSYNCS] = WEIR_GAUGE_U64("fsyncs", "1", "fsync operations"),
	[WEIR_DARSHAN_MODULE_BYTES_READ] = WEIR_GAUGE_U64("bytes_read", "By", "bytes read"),
	[WEIR_DARSHAN_MODULE_BYTES_WRITTEN] = WEIR_GAUGE_U64("bytes_written", "By", "bytes written"),
	[WEIR_DARSHAN_MODULE_MAX_BYTE_READ] =
		WEIR_GAUGE_U64("max_byte_read", "By", "highest offset read"),
	[WEIR_DARSHAN_MODULE_MAX_BYTE_WRITTEN] =
		WEIR_GAUGE_U64("max_byte_written", "By", "highest offset written"),
	[WEIR_DARSHAN_MODULE_READ_TIME] =
		WEIR_GAUGE_F64("read_time", "s", "time in read operations, summed over processes"),
	[WEIR_DARSHAN_MODULE_WRITE_TIME] =
		WEIR_GAUGE_F64("write_time", "s", "time in write operations, summed over processes"),
	[WEIR_DARSHAN_MODULE_META_TIME] =
		WEIR_GAUGE_F64("meta_time", "s", "time in metadata operations, summed over processes"),
	[WEIR_DARSHAN_MODULE_UNIQUE_FILES] =
		WEIR_GAUGE_U64("unique_files", "1", "files opened by one process only"),
	[WEIR_DARSHAN_MODULE_SHARED_FILES] =
		WEIR_GAUGE_U64("shared_files", "1", "files opened by several processes"),
	[WEIR_DARSHAN_MODULE_READ_ONLY_FILES] =
		WEIR_GAUGE_U64("read_only_files", "1", "files only read"),
	[WEIR_DARSHAN_MODULE_WRITE_ONLY_FILES] =
		WEIR_GAUGE_U64("write_only_files", "1", "files only written"),
	[WEIR_DARSHAN_MODULE_READ_WRITE_FILES] =
		WEIR_GAUGE_U64("read_write_files", "1", "files read and written"),
	[WEIR_DARSHAN_MODULE_TOTAL_FILES] = WEIR_GAUGE_U64("total_files", "1", "files opened"),
	[WEIR_DARSHAN_MODULE_UNIQUE_BYTES] =
		WEIR_GAUGE_U64("unique_bytes", "By", "bytes moved to and from files of one process"),
	[WEIR_DARSHAN_MODULE_SHARED_BYTES] =
		WEIR_GAUGE_U64("shared_bytes", "By", "bytes moved to and from shared files"),
	[WEIR_DARSHAN_MODULE_AGG_TIME] =
		WEIR_GAUGE_F64("agg_time", "s", "time of input and output by the slowest process"),
	[WEIR_DARSHAN_MODULE_AGG_BANDWIDTH] =
		WEIR_GAUGE_F64("agg_bandwidth", "By/s", "bandwidth by the slowest process"),
	[WEIR_DARSHAN_MODULE_ACCESS1_SIZE] =
		WEIR_GAUGE_U64("access1_size", "By", "most frequent access size"),
	[WEIR_DARSHAN_MODULE_ACCESS1_COUNT] =
		WEIR_GAUGE_U64("access1_count", "1", "accesses of the size in access1_size"),
	[WEIR_DARSHAN_MODULE_ACCESS2_SIZE] =
		WEIR_GAUGE_U64("access2_size", "By", "second most frequent access size"),
	[WEIR_DARSHAN_MODULE_ACCESS2_COUNT] =
		WEIR_GAUGE_U64("access2_count", "1", "accesses of the size in access2_size"),
	[WEIR_DARSHAN_MODULE_ACCESS3_SIZE] =
		WEIR_GAUGE_U64("access3_size", "By", "third most frequent access size"),
	[WEIR_DARSHAN_MODULE_ACCESS3_COUNT] =
		WEIR_GAUGE_U64("access3_count", "1", "accesses of the size in access3_size"),
	[WEIR_DARSHAN_MODULE_ACCESS4_SIZE] =
		WEIR_GAUGE_U64("access4_size", "By", "fourth most frequent access size"),
	[WEIR_DARSHAN_MODULE_ACCESS4_COUNT] =
		WEIR_GAUGE_U64("access4_count", "1", "accesses of the size in access4_size"),
};

const struct weir_schema weir_schema_darshan_module = {
	.name = "darshan_module",
	.help = "totals of one module in one Darshan log",
	.flags = WEIR_ENTITY,
	.n_keys = 3,
	.n_columns = WEIR_COUNT(darshan_module_columns),
	.columns = darshan_module_columns,
};

static const struct weir_column darshan_counter_columns[] = {
	[WEIR_DARSHAN_COUNTER_CLUSTER] = WEIR_KEY_STR("cluster", "cluster that the record belongs to"),
	[WEIR_DARSHAN_COUNTER_LOG] = HIGH_KEY_STR("log", "file name of the log, without directories"),
	[WEIR_DARSHAN_COUNTER_MODULE] =
		WEIR_KEY_STR("module", "Darshan module: POSIX, MPI-IO, STDIO, H5F, H5D, PNETCDF_FILE, "
							   "PNETCDF_VAR, LUSTRE and so on"),
	[WEIR_DARSHAN_COUNTER_COUNTER] =
		WEIR_KEY_STR("counter", "name of the counter as the log has it"),
	[WEIR_DARSHAN_COUNTER_VALUE] = WEIR_GAUGE_F64("value", "1", "value of the counter"),
};

const struct weir_schema weir_schema_darshan_counter = {
	.name = "darshan_counter",
	.help = "counters of a module in a Darshan log that have no column elsewhere",
	.flags = WEIR_ENTITY,
	.n_keys = 4,
	.n_columns = WEIR_COUNT(darshan_counter_columns),
	.columns = darshan_counter_columns,
};

static const struct weir_column darshan_file_columns[] = {
	[WEIR_DARSHAN_FILE_CLUSTER] = WEIR_KEY_STR("cluster", "cluster that the record belongs to"),
	[WEIR_DARSHAN_FILE_LOG] = HIGH_KEY_STR("log", "file name of the log, without directories"),
	[WEIR_DARSHAN_FILE_MODULE] =
		WEIR_KEY_STR("module", "Darshan module: POSIX, MPI-IO, STDIO, H5F, H5D, PNETCDF_FILE, "
							   "PNETCDF_VAR, LUSTRE and so on"),
	[WEIR_DARSHAN_FILE_RECORD] =
		HIGH_KEY_STR("record", "record identifier as 16 hexadecimal digits"),
	[WEIR_DARSHAN_FILE_RANK] =
		WEIR_KEY_I64("rank", "rank of the process, -1 for a record shared by all"),
	[WEIR_DARSHAN_FILE_PATH] = WEIR_LABEL_STR("path", "path of the file"),
	[WEIR_DARSHAN_FILE_MOUNT] = WEIR_LABEL_STR("mount", "mount point that the file lies under"),
	[WEIR_DARSHAN_FILE_FS_TYPE] = WEIR_LABEL_STR("fs_type", "type of the file system"),
	[WEIR_DARSHAN_FILE_OPENS] = WEIR_GAUGE_U64("opens", "1", "times the file was opened"),
	[WEIR_DARSHAN_FILE_READS] = WEIR_GAUGE_U64("reads", "1", "read operations"),
	[WEIR_DARSHAN_FILE_WRITES] = WEIR_GAUGE_U64("writes", "1", "write operations"),
	[WEIR_DARSHAN_FILE_BYTES_READ] = WEIR_GAUGE_U64("bytes_read", "By", "bytes read"),
	[WEIR_DARSHAN_FILE_BYTES_WRITTEN] = WEIR_GAUGE_U64("bytes_written", "By", "bytes written"),
	[WEIR_DARSHAN_FILE_READ_TIME] = WEIR_GAUGE_F64("read_time", "s", "time in read operations"),
	[WEIR_DARSHAN_FILE_WRITE_TIME] = WEIR_GAUGE_F64("write_time", "s", "time in write operations"),
	[WEIR_DARSHAN_FILE_META_TIME] = WEIR_GAUGE_F64("meta_time", "s", "time in metadata operations"),
	[WEIR_DARSHAN_FILE_OPEN_TIME] = WEIR_GAUGE_F64(
		"open_time", "s", "when the file was first opened, since the start of the program"),
	[WEIR_DARSHAN_FILE_CLOSE_TIME] = WEIR_GAUGE_F64(
		"close_time", "s", "when the file was last closed, since the start of the program"),
	[WEIR_DARSHAN_FILE_STRIPE_SIZE] =
		WEIR_GAUGE_U64("stripe_size", "By", "stripe size of the file"),
	[WEIR_DARSHAN_FILE_STRIPE_COUNT] = WEIR_GAUGE_U64("stripe_count", "1", "stripes of the file"),
	[WEIR_DARSHAN_FILE_OSTS] = WEIR_LABEL_STR("osts", "object storage targets that hold the file"),
};

const struct weir_schema weir_schema_darshan_file = {
	.name = "darshan_file",
	.help = "one record of one file in a Darshan log",
	.flags = WEIR_ENTITY,
	.n_keys = 5,
	.n_columns = WEIR_COUNT(darshan_file_columns),
	.columns = darshan_file_columns,
};

static const struct weir_column run_columns[] = {
	[WEIR_RUN_CLUSTER] = WEIR_KEY_STR("cluster", "cluster that the record belongs to"),
	[WEIR_RUN_PATH] = HIGH_KEY_STR("path", "run directory"),
	[WEIR_RUN_ATTEMPT] = HIGH_KEY_I64(
		"attempt", "1", "start time in seconds since the epoch, 0 when the run never started"),
	[WEIR_RUN_CODE] = WEIR_LABEL_STR("code", "program that ran"),
	[WEIR_RUN_CODE_VERSION] = WEIR_LABEL_STR("code_version", "version of the program"),
	[WEIR_RUN_USER_NAME] = WEIR_LABEL_STR("user_name", "user who owns the directory"),
	[WEIR_RUN_GROUP_NAME] = WEIR_LABEL_STR("group_name", "group that owns the directory"),
	[WEIR_RUN_HOST] = WEIR_LABEL_STR("host", "host that the run ran on"),
	[WEIR_RUN_JOB_NATIVE] = WEIR_LABEL_STR("job_native", "job identifier that the run knew"),
	[WEIR_RUN_CREATED_TIME] = WEIR_LABEL_TIME("created_time", "when the run was set up"),
	[WEIR_RUN_START_TIME] = WEIR_LABEL_TIME("start_time", "when the run started"),
	[WEIR_RUN_END_TIME] = WEIR_LABEL_TIME("end_time", "when the run ended"),
	[WEIR_RUN_STATUS] = WEIR_LABEL_STR("status",
		"completed, running, not_run, incomplete, mesh_error, fatal_error, "
		"fatal_io_error, fpe, out_of_memory, killed or unknown_error"),
	[WEIR_RUN_ERROR_CATEGORY] = WEIR_LABEL_STR(
		"error_category", "category of the first error rule that matched, unknown when none did"),
	[WEIR_RUN_ERROR_TEXT] = WEIR_LABEL_STR("error_text", "text of the error"),
	[WEIR_RUN_SOLVER] = WEIR_LABEL_STR("solver", "solver of the program"),
	[WEIR_RUN_NPROCS] = WEIR_GAUGE_U64("nprocs", "1", "processes of the run"),
	[WEIR_RUN_DIMENSION] = WEIR_GAUGE_U64("dimension", "1", "dimensions in space"),
	[WEIR_RUN_CELLS] = WEIR_GAUGE_U64("cells", "1", "cells of the mesh"),
	[WEIR_RUN_POINTS] = WEIR_GAUGE_U64("points", "1", "points of the mesh"),
	[WEIR_RUN_STEPS] = WEIR_GAUGE_U64("steps", "1", "time steps or iterations done"),
	[WEIR_RUN_EXECUTION_TIME] =
		WEIR_GAUGE_F64("execution_time", "s", "CPU time that the program reported"),
	[WEIR_RUN_CLOCK_TIME] =
		WEIR_GAUGE_F64("clock_time", "s", "elapsed time that the program reported"),
	[WEIR_RUN_SIMULATED_TIME] =
		WEIR_GAUGE_F64("simulated_time", "1", "time reached in the simulation, in its own unit"),
	[WEIR_RUN_COST] = WEIR_GAUGE_F64("cost", "s", "clock_time x nprocs / (points x steps)"),
	[WEIR_RUN_TURBULENCE_MODEL] = WEIR_LABEL_STR("turbulence_model", "turbulence model"),
	[WEIR_RUN_MESH] = WEIR_LABEL_STR("mesh", "name or kind of the mesh"),
};

static const char *const run_indexes[] = { "start_time", "job_native", NULL };

const struct weir_schema weir_schema_run = {
	.name = "run",
	.help = "one run directory of a solver",
	.flags = WEIR_ENTITY,
	.n_keys = 3,
	.n_columns = WEIR_COUNT(run_columns),
	.columns = run_columns,
	.indexes = run_indexes,
};

static const struct weir_column run_parameter_columns[] = {
	[WEIR_RUN_PARAMETER_CLUSTER] = WEIR_KEY_STR("cluster", "cluster that the record belongs to"),
	[WEIR_RUN_PARAMETER_PATH] = HIGH_KEY_STR("path", "run directory"),
	[WEIR_RUN_PARAMETER_ATTEMPT] = HIGH_KEY_I64(
		"attempt", "1", "start time in seconds since the epoch, 0 when the run never started"),
	[WEIR_RUN_PARAMETER_NAME] = WEIR_KEY_STR("name", "name of the parameter"),
	[WEIR_RUN_PARAMETER_VALUE_TEXT] = WEIR_LABEL_STR("value_text", "value as it is written"),
	[WEIR_RUN_PARAMETER_VALUE_NUMBER] =
		WEIR_GAUGE_F64("value_number", "1", "value as a number, in the unit of the column unit"),
	[WEIR_RUN_PARAMETER_UNIT] = WEIR_LABEL_STR("unit", "unit of the value"),
	[WEIR_RUN_PARAMETER_SET_BY] =
		WEIR_LABEL_STR("set_by", "user for input files, log for what the program printed"),
};

const struct weir_schema weir_schema_run_parameter = {
	.name = "run_parameter",
	.help = "parameters of a run",
	.flags = WEIR_ENTITY,
	.n_keys = 4,
	.n_columns = WEIR_COUNT(run_parameter_columns),
	.columns = run_parameter_columns,
};

static const struct weir_column python_import_columns[] = {
	[WEIR_PYTHON_IMPORT_PROCESS] =
		HIGH_KEY_STR("process", "process id, or the identifier of the record"),
	[WEIR_PYTHON_IMPORT_PACKAGE] = WEIR_KEY_STR("package", "name of the package"),
	[WEIR_PYTHON_IMPORT_VERSION] = WEIR_LABEL_STR("version", "version of the package"),
	[WEIR_PYTHON_IMPORT_USER_NAME] = WEIR_LABEL_STR("user_name", "user who ran the process"),
	[WEIR_PYTHON_IMPORT_JOB_NATIVE] =
		WEIR_LABEL_STR("job_native", "job identifier that the process saw"),
	[WEIR_PYTHON_IMPORT_EXECUTABLE] = WEIR_LABEL_STR("executable", "Python interpreter"),
	[WEIR_PYTHON_IMPORT_MAIN] = WEIR_LABEL_STR("main", "main script or module"),
	[WEIR_PYTHON_IMPORT_ACCOUNT] = WEIR_LABEL_STR("account", "account of the job"),
	[WEIR_PYTHON_IMPORT_PARTITION] = WEIR_LABEL_STR("partition", "partition or queue of the job"),
	[WEIR_PYTHON_IMPORT_QOS] = WEIR_LABEL_STR("qos", "quality of service of the job"),
	[WEIR_PYTHON_IMPORT_NODES] = WEIR_GAUGE_U64("nodes", "1", "hosts of the job"),
	[WEIR_PYTHON_IMPORT_GPUS] = WEIR_GAUGE_U64("gpus", "1", "GPUs of the job"),
	[WEIR_PYTHON_IMPORT_PREFIX] =
		WEIR_LABEL_STR("prefix", "environment that the interpreter belongs to"),
	[WEIR_PYTHON_IMPORT_IMAGE] = WEIR_LABEL_STR("image", "container image"),
	[WEIR_PYTHON_IMPORT_IS_CHILD] =
		WEIR_LABEL_BOOL("is_child", "true for a process that another Python process started"),
	[WEIR_PYTHON_IMPORT_IS_COMPUTE] = WEIR_LABEL_BOOL("is_compute", "true on a compute node"),
	[WEIR_PYTHON_IMPORT_IS_STAFF] = WEIR_LABEL_BOOL("is_staff", "true for a user of the staff"),
	[WEIR_PYTHON_IMPORT_IS_CONTAINER] = WEIR_LABEL_BOOL("is_container", "true inside a container"),
	[WEIR_PYTHON_IMPORT_SERVICE] = WEIR_LABEL_STR("service", "service that the process belongs to"),
	[WEIR_PYTHON_IMPORT_CATEGORY] = WEIR_LABEL_STR("category", "category of the package"),
	[WEIR_PYTHON_IMPORT_PYTHON_VERSION] = WEIR_LABEL_STR("python_version", "version of Python"),
	[WEIR_PYTHON_IMPORT_RANK] =
		WEIR_GAUGE_I64("rank", "1", "rank of the process in a parallel program"),
	[WEIR_PYTHON_IMPORT_TRANSPORT] =
		WEIR_LABEL_STR("transport", "how the record came: syslog, kafka or file"),
};

static const char *const python_import_indexes[] = { "package, time", "job_native", NULL };

const struct weir_schema weir_schema_python_import = {
	.name = "python_import",
	.help = "one imported package of one finished Python process",
	.n_keys = 2,
	.n_columns = WEIR_COUNT(python_import_columns),
	.columns = python_import_columns,
	.indexes = python_import_indexes,
};

static const struct weir_column syslog_columns[] = {
	[WEIR_SYSLOG_APP] = WEIR_KEY_STR("app", "program that wrote the message"),
	[WEIR_SYSLOG_FACILITY] = WEIR_GAUGE_U64("facility", "1", "facility number"),
	[WEIR_SYSLOG_SEVERITY] =
		WEIR_GAUGE_U64("severity", "1", "severity number: 0 emergency to 7 debug"),
	[WEIR_SYSLOG_PID] = WEIR_GAUGE_U64("pid", "1", "process id of the program"),
	[WEIR_SYSLOG_MESSAGE_ID] = WEIR_LABEL_STR("message_id", "type of the message"),
	[WEIR_SYSLOG_MESSAGE] = WEIR_LABEL_STR("message", "text of the message"),
	[WEIR_SYSLOG_STRUCTURED] =
		WEIR_LABEL_STR("structured", "structured data as the message has it"),
	[WEIR_SYSLOG_RECEIVED_FROM] =
		WEIR_LABEL_STR("received_from", "address that the message came from"),
};

const struct weir_schema weir_schema_syslog = {
	.name = "syslog",
	.help = "messages of the system log",
	.n_keys = 1,
	.n_columns = WEIR_COUNT(syslog_columns),
	.columns = syslog_columns,
};

static const struct weir_column keyvalue_columns[] = {
	[WEIR_KEYVALUE_SAMPLER] = WEIR_KEY_STR("sampler", "instance that read the key"),
	[WEIR_KEYVALUE_ITEM] = WEIR_KEY_STR("item", "the key"),
	[WEIR_KEYVALUE_VALUE] = WEIR_GAUGE_I64("value", "1", "value without conversion"),
};

const struct weir_schema weir_schema_keyvalue = {
	.name = "keyvalue",
	.help = "keys of a file that have no column of their own, as the file has them",
	.n_keys = 2,
	.n_columns = WEIR_COUNT(keyvalue_columns),
	.columns = keyvalue_columns,
};
