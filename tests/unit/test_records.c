/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Schemas of records: they pass the rules, each enumerator is the column of its name, types and
 * units are those promised.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <weir/records.h>

#include "data/schema.h"

static const struct weir_schema *const all[] = {
	&weir_schema_job,
	&weir_schema_job_task,
	&weir_schema_job_host,
	&weir_schema_job_on_host,
	&weir_schema_job_pending,
	&weir_schema_project,
	&weir_schema_allocation,
	&weir_schema_project_member,
	&weir_schema_metagroup,
	&weir_schema_darshan_log,
	&weir_schema_darshan_module,
	&weir_schema_darshan_counter,
	&weir_schema_darshan_file,
	&weir_schema_run,
	&weir_schema_run_parameter,
	&weir_schema_python_import,
	&weir_schema_syslog,
	&weir_schema_keyvalue,
};

/* Every enumerator beside its column's name. */
static const struct {
	const struct weir_schema *schema;
	size_t column;
	const char *name;
} places[] = {
	{ &weir_schema_job, WEIR_JOB_CLUSTER, "cluster" },
	{ &weir_schema_job, WEIR_JOB_JOB_ID, "job_id" },
	{ &weir_schema_job, WEIR_JOB_ATTEMPT, "attempt" },
	{ &weir_schema_job, WEIR_JOB_NATIVE_ID, "native_id" },
	{ &weir_schema_job, WEIR_JOB_SLUID, "sluid" },
	{ &weir_schema_job, WEIR_JOB_JOB_NUMBER, "job_number" },
	{ &weir_schema_job, WEIR_JOB_ARRAY_JOB, "array_job" },
	{ &weir_schema_job, WEIR_JOB_ARRAY_TASK, "array_task" },
	{ &weir_schema_job, WEIR_JOB_HET_JOB, "het_job" },
	{ &weir_schema_job, WEIR_JOB_HET_OFFSET, "het_offset" },
	{ &weir_schema_job, WEIR_JOB_NAME, "name" },
	{ &weir_schema_job, WEIR_JOB_USER_NAME, "user_name" },
	{ &weir_schema_job, WEIR_JOB_GROUP_NAME, "group_name" },
	{ &weir_schema_job, WEIR_JOB_ACCOUNT, "account" },
	{ &weir_schema_job, WEIR_JOB_PROJECT, "project" },
	{ &weir_schema_job, WEIR_JOB_DEPARTMENT, "department" },
	{ &weir_schema_job, WEIR_JOB_PARTITION, "partition" },
	{ &weir_schema_job, WEIR_JOB_QOS, "qos" },
	{ &weir_schema_job, WEIR_JOB_RESERVATION, "reservation" },
	{ &weir_schema_job, WEIR_JOB_PARALLEL_ENV, "parallel_env" },
	{ &weir_schema_job, WEIR_JOB_STATE, "state" },
	{ &weir_schema_job, WEIR_JOB_EXIT_CODE, "exit_code" },
	{ &weir_schema_job, WEIR_JOB_EXIT_SIGNAL, "exit_signal" },
	{ &weir_schema_job, WEIR_JOB_FAILED, "failed" },
	{ &weir_schema_job, WEIR_JOB_REASON, "reason" },
	{ &weir_schema_job, WEIR_JOB_SUBMIT_TIME, "submit_time" },
	{ &weir_schema_job, WEIR_JOB_ELIGIBLE_TIME, "eligible_time" },
	{ &weir_schema_job, WEIR_JOB_START_TIME, "start_time" },
	{ &weir_schema_job, WEIR_JOB_END_TIME, "end_time" },
	{ &weir_schema_job, WEIR_JOB_WALL_TIME, "wall_time" },
	{ &weir_schema_job, WEIR_JOB_WAIT_TIME, "wait_time" },
	{ &weir_schema_job, WEIR_JOB_TIME_LIMIT, "time_limit" },
	{ &weir_schema_job, WEIR_JOB_SLOTS, "slots" },
	{ &weir_schema_job, WEIR_JOB_NODES, "nodes" },
	{ &weir_schema_job, WEIR_JOB_GPUS, "gpus" },
	{ &weir_schema_job, WEIR_JOB_SLOTS_REQUESTED, "slots_requested" },
	{ &weir_schema_job, WEIR_JOB_MEM_REQUESTED, "mem_requested" },
	{ &weir_schema_job, WEIR_JOB_CPU_TIME, "cpu_time" },
	{ &weir_schema_job, WEIR_JOB_CPU_USER_TIME, "cpu_user_time" },
	{ &weir_schema_job, WEIR_JOB_CPU_SYSTEM_TIME, "cpu_system_time" },
	{ &weir_schema_job, WEIR_JOB_MEM_MAX, "mem_max" },
	{ &weir_schema_job, WEIR_JOB_VMEM_MAX, "vmem_max" },
	{ &weir_schema_job, WEIR_JOB_MEM_INTEGRAL, "mem_integral" },
	{ &weir_schema_job, WEIR_JOB_IO_BYTES, "io_bytes" },
	{ &weir_schema_job, WEIR_JOB_IO_WAIT_TIME, "io_wait_time" },
	{ &weir_schema_job, WEIR_JOB_ENERGY, "energy" },
	{ &weir_schema_job, WEIR_JOB_NODE_LIST, "node_list" },
	{ &weir_schema_job, WEIR_JOB_SUBMIT_HOST, "submit_host" },
	{ &weir_schema_job, WEIR_JOB_WORK_DIR, "work_dir" },
	{ &weir_schema_job, WEIR_JOB_COMMAND, "command" },
	{ &weir_schema_job, WEIR_JOB_COMMENT, "comment" },
	{ &weir_schema_job, WEIR_JOB_SHAPE, "shape" },
	{ &weir_schema_job, WEIR_JOB_USAGE_VALID, "usage_valid" },
	{ &weir_schema_job, WEIR_JOB_ORIGIN, "origin" },
	{ &weir_schema_job_task, WEIR_JOB_TASK_CLUSTER, "cluster" },
	{ &weir_schema_job_task, WEIR_JOB_TASK_JOB_ID, "job_id" },
	{ &weir_schema_job_task, WEIR_JOB_TASK_ATTEMPT, "attempt" },
	{ &weir_schema_job_task, WEIR_JOB_TASK_TASK, "task" },
	{ &weir_schema_job_task, WEIR_JOB_TASK_USER_NAME, "user_name" },
	{ &weir_schema_job_task, WEIR_JOB_TASK_GROUP_NAME, "group_name" },
	{ &weir_schema_job_task, WEIR_JOB_TASK_ACCOUNT, "account" },
	{ &weir_schema_job_task, WEIR_JOB_TASK_PROJECT, "project" },
	{ &weir_schema_job_task, WEIR_JOB_TASK_DEPARTMENT, "department" },
	{ &weir_schema_job_task, WEIR_JOB_TASK_PARTITION, "partition" },
	{ &weir_schema_job_task, WEIR_JOB_TASK_SUBMIT_TIME, "submit_time" },
	{ &weir_schema_job_task, WEIR_JOB_TASK_NAME, "name" },
	{ &weir_schema_job_task, WEIR_JOB_TASK_HOST, "host" },
	{ &weir_schema_job_task, WEIR_JOB_TASK_NODE_LIST, "node_list" },
	{ &weir_schema_job_task, WEIR_JOB_TASK_STATE, "state" },
	{ &weir_schema_job_task, WEIR_JOB_TASK_EXIT_CODE, "exit_code" },
	{ &weir_schema_job_task, WEIR_JOB_TASK_EXIT_SIGNAL, "exit_signal" },
	{ &weir_schema_job_task, WEIR_JOB_TASK_START_TIME, "start_time" },
	{ &weir_schema_job_task, WEIR_JOB_TASK_END_TIME, "end_time" },
	{ &weir_schema_job_task, WEIR_JOB_TASK_WALL_TIME, "wall_time" },
	{ &weir_schema_job_task, WEIR_JOB_TASK_SLOTS, "slots" },
	{ &weir_schema_job_task, WEIR_JOB_TASK_TASKS, "tasks" },
	{ &weir_schema_job_task, WEIR_JOB_TASK_CPU_TIME, "cpu_time" },
	{ &weir_schema_job_task, WEIR_JOB_TASK_CPU_USER_TIME, "cpu_user_time" },
	{ &weir_schema_job_task, WEIR_JOB_TASK_CPU_SYSTEM_TIME, "cpu_system_time" },
	{ &weir_schema_job_task, WEIR_JOB_TASK_MEM_MAX, "mem_max" },
	{ &weir_schema_job_task, WEIR_JOB_TASK_VMEM_MAX, "vmem_max" },
	{ &weir_schema_job_task, WEIR_JOB_TASK_MEM_INTEGRAL, "mem_integral" },
	{ &weir_schema_job_task, WEIR_JOB_TASK_IO_BYTES, "io_bytes" },
	{ &weir_schema_job_task, WEIR_JOB_TASK_IO_WAIT_TIME, "io_wait_time" },
	{ &weir_schema_job_task, WEIR_JOB_TASK_READ_BYTES, "read_bytes" },
	{ &weir_schema_job_task, WEIR_JOB_TASK_WRITE_BYTES, "write_bytes" },
	{ &weir_schema_job_task, WEIR_JOB_TASK_ENERGY, "energy" },
	{ &weir_schema_job_task, WEIR_JOB_TASK_FAILED, "failed" },
	{ &weir_schema_job_task, WEIR_JOB_TASK_INCLUDED, "included" },
	{ &weir_schema_job_host, WEIR_JOB_HOST_CLUSTER, "cluster" },
	{ &weir_schema_job_host, WEIR_JOB_HOST_JOB_ID, "job_id" },
	{ &weir_schema_job_host, WEIR_JOB_HOST_ATTEMPT, "attempt" },
	{ &weir_schema_job_host, WEIR_JOB_HOST_HOST, "host" },
	{ &weir_schema_job_host, WEIR_JOB_HOST_SLOTS, "slots" },
	{ &weir_schema_job_host, WEIR_JOB_HOST_GPUS, "gpus" },
	{ &weir_schema_job_host, WEIR_JOB_HOST_START_TIME, "start_time" },
	{ &weir_schema_job_host, WEIR_JOB_HOST_END_TIME, "end_time" },
	{ &weir_schema_job_on_host, WEIR_JOB_ON_HOST_CLUSTER, "cluster" },
	{ &weir_schema_job_on_host, WEIR_JOB_ON_HOST_HOST, "host" },
	{ &weir_schema_job_on_host, WEIR_JOB_ON_HOST_JOB_NATIVE, "job_native" },
	{ &weir_schema_job_on_host, WEIR_JOB_ON_HOST_STARTED, "started" },
	{ &weir_schema_job_on_host, WEIR_JOB_ON_HOST_STEP_COUNT, "step_count" },
	{ &weir_schema_job_on_host, WEIR_JOB_ON_HOST_ENDED, "ended" },
	{ &weir_schema_job_on_host, WEIR_JOB_ON_HOST_USER_NAME, "user_name" },
	{ &weir_schema_job_on_host, WEIR_JOB_ON_HOST_UID, "uid" },
	{ &weir_schema_job_on_host, WEIR_JOB_ON_HOST_SCHEDULER, "scheduler" },
	{ &weir_schema_job_on_host, WEIR_JOB_ON_HOST_CGROUP, "cgroup" },
	{ &weir_schema_job_on_host, WEIR_JOB_ON_HOST_CPUS, "cpus" },
	{ &weir_schema_job_on_host, WEIR_JOB_ON_HOST_MEMS, "mems" },
	{ &weir_schema_job_on_host, WEIR_JOB_ON_HOST_GPUS, "gpus" },
	{ &weir_schema_job_on_host, WEIR_JOB_ON_HOST_MEMORY_LIMIT, "memory_limit" },
	{ &weir_schema_job_on_host, WEIR_JOB_ON_HOST_KNOWN_FROM, "known_from" },
	{ &weir_schema_job_pending, WEIR_JOB_PENDING_CLUSTER, "cluster" },
	{ &weir_schema_job_pending, WEIR_JOB_PENDING_JOB_ID, "job_id" },
	{ &weir_schema_job_pending, WEIR_JOB_PENDING_NATIVE_ID, "native_id" },
	{ &weir_schema_job_pending, WEIR_JOB_PENDING_COUNT, "count" },
	{ &weir_schema_job_pending, WEIR_JOB_PENDING_USER_NAME, "user_name" },
	{ &weir_schema_job_pending, WEIR_JOB_PENDING_GROUP_NAME, "group_name" },
	{ &weir_schema_job_pending, WEIR_JOB_PENDING_ACCOUNT, "account" },
	{ &weir_schema_job_pending, WEIR_JOB_PENDING_PROJECT, "project" },
	{ &weir_schema_job_pending, WEIR_JOB_PENDING_PARTITION, "partition" },
	{ &weir_schema_job_pending, WEIR_JOB_PENDING_REASON, "reason" },
	{ &weir_schema_job_pending, WEIR_JOB_PENDING_SUBMIT_TIME, "submit_time" },
	{ &weir_schema_job_pending, WEIR_JOB_PENDING_ELIGIBLE_TIME, "eligible_time" },
	{ &weir_schema_job_pending, WEIR_JOB_PENDING_SLOTS_REQUESTED, "slots_requested" },
	{ &weir_schema_job_pending, WEIR_JOB_PENDING_TIME_LIMIT, "time_limit" },
	{ &weir_schema_project, WEIR_PROJECT_PROJECT, "project" },
	{ &weir_schema_project, WEIR_PROJECT_TITLE, "title" },
	{ &weir_schema_project, WEIR_PROJECT_PI, "pi" },
	{ &weir_schema_project, WEIR_PROJECT_DOMAIN, "domain" },
	{ &weir_schema_project, WEIR_PROJECT_GROUP_NAME, "group_name" },
	{ &weir_schema_allocation, WEIR_ALLOCATION_PROJECT, "project" },
	{ &weir_schema_allocation, WEIR_ALLOCATION_CLUSTER, "cluster" },
	{ &weir_schema_allocation, WEIR_ALLOCATION_RESOURCE, "resource" },
	{ &weir_schema_allocation, WEIR_ALLOCATION_START_TIME, "start_time" },
	{ &weir_schema_allocation, WEIR_ALLOCATION_AMOUNT, "amount" },
	{ &weir_schema_allocation, WEIR_ALLOCATION_UNIT, "unit" },
	{ &weir_schema_allocation, WEIR_ALLOCATION_END_TIME, "end_time" },
	{ &weir_schema_project_member, WEIR_PROJECT_MEMBER_PROJECT, "project" },
	{ &weir_schema_project_member, WEIR_PROJECT_MEMBER_USER_NAME, "user_name" },
	{ &weir_schema_project_member, WEIR_PROJECT_MEMBER_ROLE, "role" },
	{ &weir_schema_project_member, WEIR_PROJECT_MEMBER_START_TIME, "start_time" },
	{ &weir_schema_project_member, WEIR_PROJECT_MEMBER_END_TIME, "end_time" },
	{ &weir_schema_metagroup, WEIR_METAGROUP_KIND, "kind" },
	{ &weir_schema_metagroup, WEIR_METAGROUP_POSITION, "position" },
	{ &weir_schema_metagroup, WEIR_METAGROUP_PATTERN, "pattern" },
	{ &weir_schema_metagroup, WEIR_METAGROUP_METAGROUP, "metagroup" },
	{ &weir_schema_metagroup, WEIR_METAGROUP_CLUSTER_PART, "cluster_part" },
	{ &weir_schema_darshan_log, WEIR_DARSHAN_LOG_CLUSTER, "cluster" },
	{ &weir_schema_darshan_log, WEIR_DARSHAN_LOG_LOG, "log" },
	{ &weir_schema_darshan_log, WEIR_DARSHAN_LOG_JOB_NATIVE, "job_native" },
	{ &weir_schema_darshan_log, WEIR_DARSHAN_LOG_UID, "uid" },
	{ &weir_schema_darshan_log, WEIR_DARSHAN_LOG_USER_NAME, "user_name" },
	{ &weir_schema_darshan_log, WEIR_DARSHAN_LOG_PROJECT, "project" },
	{ &weir_schema_darshan_log, WEIR_DARSHAN_LOG_EXE, "exe" },
	{ &weir_schema_darshan_log, WEIR_DARSHAN_LOG_NPROCS, "nprocs" },
	{ &weir_schema_darshan_log, WEIR_DARSHAN_LOG_START_TIME, "start_time" },
	{ &weir_schema_darshan_log, WEIR_DARSHAN_LOG_END_TIME, "end_time" },
	{ &weir_schema_darshan_log, WEIR_DARSHAN_LOG_RUN_TIME, "run_time" },
	{ &weir_schema_darshan_log, WEIR_DARSHAN_LOG_LOG_VERSION, "log_version" },
	{ &weir_schema_darshan_log, WEIR_DARSHAN_LOG_LIB_VERSION, "lib_version" },
	{ &weir_schema_darshan_log, WEIR_DARSHAN_LOG_PARTIAL, "partial" },
	{ &weir_schema_darshan_log, WEIR_DARSHAN_LOG_HOSTNAME, "hostname" },
	{ &weir_schema_darshan_log, WEIR_DARSHAN_LOG_BYTES, "bytes" },
	{ &weir_schema_darshan_module, WEIR_DARSHAN_MODULE_CLUSTER, "cluster" },
	{ &weir_schema_darshan_module, WEIR_DARSHAN_MODULE_LOG, "log" },
	{ &weir_schema_darshan_module, WEIR_DARSHAN_MODULE_MODULE, "module" },
	{ &weir_schema_darshan_module, WEIR_DARSHAN_MODULE_MODULE_VERSION, "module_version" },
	{ &weir_schema_darshan_module, WEIR_DARSHAN_MODULE_STORED_BYTES, "stored_bytes" },
	{ &weir_schema_darshan_module, WEIR_DARSHAN_MODULE_RECORDS, "records" },
	{ &weir_schema_darshan_module, WEIR_DARSHAN_MODULE_OPENS, "opens" },
	{ &weir_schema_darshan_module, WEIR_DARSHAN_MODULE_READS, "reads" },
	{ &weir_schema_darshan_module, WEIR_DARSHAN_MODULE_WRITES, "writes" },
	{ &weir_schema_darshan_module, WEIR_DARSHAN_MODULE_SEEKS, "seeks" },
	{ &weir_schema_darshan_module, WEIR_DARSHAN_MODULE_STATS, "stats" },
	{ &weir_schema_darshan_module, WEIR_DARSHAN_MODULE_FSYNCS, "fsyncs" },
	{ &weir_schema_darshan_module, WEIR_DARSHAN_MODULE_BYTES_READ, "bytes_read" },
	{ &weir_schema_darshan_module, WEIR_DARSHAN_MODULE_BYTES_WRITTEN, "bytes_written" },
	{ &weir_schema_darshan_module, WEIR_DARSHAN_MODULE_MAX_BYTE_READ, "max_byte_read" },
	{ &weir_schema_darshan_module, WEIR_DARSHAN_MODULE_MAX_BYTE_WRITTEN, "max_byte_written" },
	{ &weir_schema_darshan_module, WEIR_DARSHAN_MODULE_READ_TIME, "read_time" },
	{ &weir_schema_darshan_module, WEIR_DARSHAN_MODULE_WRITE_TIME, "write_time" },
	{ &weir_schema_darshan_module, WEIR_DARSHAN_MODULE_META_TIME, "meta_time" },
	{ &weir_schema_darshan_module, WEIR_DARSHAN_MODULE_UNIQUE_FILES, "unique_files" },
	{ &weir_schema_darshan_module, WEIR_DARSHAN_MODULE_SHARED_FILES, "shared_files" },
	{ &weir_schema_darshan_module, WEIR_DARSHAN_MODULE_READ_ONLY_FILES, "read_only_files" },
	{ &weir_schema_darshan_module, WEIR_DARSHAN_MODULE_WRITE_ONLY_FILES, "write_only_files" },
	{ &weir_schema_darshan_module, WEIR_DARSHAN_MODULE_READ_WRITE_FILES, "read_write_files" },
	{ &weir_schema_darshan_module, WEIR_DARSHAN_MODULE_TOTAL_FILES, "total_files" },
	{ &weir_schema_darshan_module, WEIR_DARSHAN_MODULE_UNIQUE_BYTES, "unique_bytes" },
	{ &weir_schema_darshan_module, WEIR_DARSHAN_MODULE_SHARED_BYTES, "shared_bytes" },
	{ &weir_schema_darshan_module, WEIR_DARSHAN_MODULE_AGG_TIME, "agg_time" },
	{ &weir_schema_darshan_module, WEIR_DARSHAN_MODULE_AGG_BANDWIDTH, "agg_bandwidth" },
	{ &weir_schema_darshan_module, WEIR_DARSHAN_MODULE_ACCESS1_SIZE, "access1_size" },
	{ &weir_schema_darshan_module, WEIR_DARSHAN_MODULE_ACCESS1_COUNT, "access1_count" },
	{ &weir_schema_darshan_module, WEIR_DARSHAN_MODULE_ACCESS2_SIZE, "access2_size" },
	{ &weir_schema_darshan_module, WEIR_DARSHAN_MODULE_ACCESS2_COUNT, "access2_count" },
	{ &weir_schema_darshan_module, WEIR_DARSHAN_MODULE_ACCESS3_SIZE, "access3_size" },
	{ &weir_schema_darshan_module, WEIR_DARSHAN_MODULE_ACCESS3_COUNT, "access3_count" },
	{ &weir_schema_darshan_module, WEIR_DARSHAN_MODULE_ACCESS4_SIZE, "access4_size" },
	{ &weir_schema_darshan_module, WEIR_DARSHAN_MODULE_ACCESS4_COUNT, "access4_count" },
	{ &weir_schema_darshan_counter, WEIR_DARSHAN_COUNTER_CLUSTER, "cluster" },
	{ &weir_schema_darshan_counter, WEIR_DARSHAN_COUNTER_LOG, "log" },
	{ &weir_schema_darshan_counter, WEIR_DARSHAN_COUNTER_MODULE, "module" },
	{ &weir_schema_darshan_counter, WEIR_DARSHAN_COUNTER_COUNTER, "counter" },
	{ &weir_schema_darshan_counter, WEIR_DARSHAN_COUNTER_VALUE, "value" },
	{ &weir_schema_darshan_file, WEIR_DARSHAN_FILE_CLUSTER, "cluster" },
	{ &weir_schema_darshan_file, WEIR_DARSHAN_FILE_LOG, "log" },
	{ &weir_schema_darshan_file, WEIR_DARSHAN_FILE_MODULE, "module" },
	{ &weir_schema_darshan_file, WEIR_DARSHAN_FILE_RECORD, "record" },
	{ &weir_schema_darshan_file, WEIR_DARSHAN_FILE_RANK, "rank" },
	{ &weir_schema_darshan_file, WEIR_DARSHAN_FILE_PATH, "path" },
	{ &weir_schema_darshan_file, WEIR_DARSHAN_FILE_MOUNT, "mount" },
	{ &weir_schema_darshan_file, WEIR_DARSHAN_FILE_FS_TYPE, "fs_type" },
	{ &weir_schema_darshan_file, WEIR_DARSHAN_FILE_OPENS, "opens" },
	{ &weir_schema_darshan_file, WEIR_DARSHAN_FILE_READS, "reads" },
	{ &weir_schema_darshan_file, WEIR_DARSHAN_FILE_WRITES, "writes" },
	{ &weir_schema_darshan_file, WEIR_DARSHAN_FILE_BYTES_READ, "bytes_read" },
	{ &weir_schema_darshan_file, WEIR_DARSHAN_FILE_BYTES_WRITTEN, "bytes_written" },
	{ &weir_schema_darshan_file, WEIR_DARSHAN_FILE_READ_TIME, "read_time" },
	{ &weir_schema_darshan_file, WEIR_DARSHAN_FILE_WRITE_TIME, "write_time" },
	{ &weir_schema_darshan_file, WEIR_DARSHAN_FILE_META_TIME, "meta_time" },
	{ &weir_schema_darshan_file, WEIR_DARSHAN_FILE_OPEN_TIME, "open_time" },
	{ &weir_schema_darshan_file, WEIR_DARSHAN_FILE_CLOSE_TIME, "close_time" },
	{ &weir_schema_darshan_file, WEIR_DARSHAN_FILE_STRIPE_SIZE, "stripe_size" },
	{ &weir_schema_darshan_file, WEIR_DARSHAN_FILE_STRIPE_COUNT, "stripe_count" },
	{ &weir_schema_darshan_file, WEIR_DARSHAN_FILE_OSTS, "osts" },
	{ &weir_schema_run, WEIR_RUN_CLUSTER, "cluster" },
	{ &weir_schema_run, WEIR_RUN_PATH, "path" },
	{ &weir_schema_run, WEIR_RUN_ATTEMPT, "attempt" },
	{ &weir_schema_run, WEIR_RUN_CODE, "code" },
	{ &weir_schema_run, WEIR_RUN_CODE_VERSION, "code_version" },
	{ &weir_schema_run, WEIR_RUN_USER_NAME, "user_name" },
	{ &weir_schema_run, WEIR_RUN_GROUP_NAME, "group_name" },
	{ &weir_schema_run, WEIR_RUN_HOST, "host" },
	{ &weir_schema_run, WEIR_RUN_JOB_NATIVE, "job_native" },
	{ &weir_schema_run, WEIR_RUN_CREATED_TIME, "created_time" },
	{ &weir_schema_run, WEIR_RUN_START_TIME, "start_time" },
	{ &weir_schema_run, WEIR_RUN_END_TIME, "end_time" },
	{ &weir_schema_run, WEIR_RUN_STATUS, "status" },
	{ &weir_schema_run, WEIR_RUN_ERROR_CATEGORY, "error_category" },
	{ &weir_schema_run, WEIR_RUN_ERROR_TEXT, "error_text" },
	{ &weir_schema_run, WEIR_RUN_SOLVER, "solver" },
	{ &weir_schema_run, WEIR_RUN_NPROCS, "nprocs" },
	{ &weir_schema_run, WEIR_RUN_DIMENSION, "dimension" },
	{ &weir_schema_run, WEIR_RUN_CELLS, "cells" },
	{ &weir_schema_run, WEIR_RUN_POINTS, "points" },
	{ &weir_schema_run, WEIR_RUN_STEPS, "steps" },
	{ &weir_schema_run, WEIR_RUN_EXECUTION_TIME, "execution_time" },
	{ &weir_schema_run, WEIR_RUN_CLOCK_TIME, "clock_time" },
	{ &weir_schema_run, WEIR_RUN_SIMULATED_TIME, "simulated_time" },
	{ &weir_schema_run, WEIR_RUN_COST, "cost" },
	{ &weir_schema_run, WEIR_RUN_TURBULENCE_MODEL, "turbulence_model" },
	{ &weir_schema_run, WEIR_RUN_MESH, "mesh" },
	{ &weir_schema_run_parameter, WEIR_RUN_PARAMETER_CLUSTER, "cluster" },
	{ &weir_schema_run_parameter, WEIR_RUN_PARAMETER_PATH, "path" },
	{ &weir_schema_run_parameter, WEIR_RUN_PARAMETER_ATTEMPT, "attempt" },
	{ &weir_schema_run_parameter, WEIR_RUN_PARAMETER_NAME, "name" },
	{ &weir_schema_run_parameter, WEIR_RUN_PARAMETER_VALUE_TEXT, "value_text" },
	{ &weir_schema_run_parameter, WEIR_RUN_PARAMETER_VALUE_NUMBER, "value_number" },
	{ &weir_schema_run_parameter, WEIR_RUN_PARAMETER_UNIT, "unit" },
	{ &weir_schema_run_parameter, WEIR_RUN_PARAMETER_SET_BY, "set_by" },
	{ &weir_schema_python_import, WEIR_PYTHON_IMPORT_PROCESS, "process" },
	{ &weir_schema_python_import, WEIR_PYTHON_IMPORT_PACKAGE, "package" },
	{ &weir_schema_python_import, WEIR_PYTHON_IMPORT_VERSION, "version" },
	{ &weir_schema_python_import, WEIR_PYTHON_IMPORT_USER_NAME, "user_name" },
	{ &weir_schema_python_import, WEIR_PYTHON_IMPORT_JOB_NATIVE, "job_native" },
	{ &weir_schema_python_import, WEIR_PYTHON_IMPORT_EXECUTABLE, "executable" },
	{ &weir_schema_python_import, WEIR_PYTHON_IMPORT_MAIN, "main" },
	{ &weir_schema_python_import, WEIR_PYTHON_IMPORT_ACCOUNT, "account" },
	{ &weir_schema_python_import, WEIR_PYTHON_IMPORT_PARTITION, "partition" },
	{ &weir_schema_python_import, WEIR_PYTHON_IMPORT_QOS, "qos" },
	{ &weir_schema_python_import, WEIR_PYTHON_IMPORT_NODES, "nodes" },
	{ &weir_schema_python_import, WEIR_PYTHON_IMPORT_GPUS, "gpus" },
	{ &weir_schema_python_import, WEIR_PYTHON_IMPORT_PREFIX, "prefix" },
	{ &weir_schema_python_import, WEIR_PYTHON_IMPORT_IMAGE, "image" },
	{ &weir_schema_python_import, WEIR_PYTHON_IMPORT_IS_CHILD, "is_child" },
	{ &weir_schema_python_import, WEIR_PYTHON_IMPORT_IS_COMPUTE, "is_compute" },
	{ &weir_schema_python_import, WEIR_PYTHON_IMPORT_IS_STAFF, "is_staff" },
	{ &weir_schema_python_import, WEIR_PYTHON_IMPORT_IS_CONTAINER, "is_container" },
	{ &weir_schema_python_import, WEIR_PYTHON_IMPORT_SERVICE, "service" },
	{ &weir_schema_python_import, WEIR_PYTHON_IMPORT_CATEGORY, "category" },
	{ &weir_schema_python_import, WEIR_PYTHON_IMPORT_PYTHON_VERSION, "python_version" },
	{ &weir_schema_python_import, WEIR_PYTHON_IMPORT_RANK, "rank" },
	{ &weir_schema_python_import, WEIR_PYTHON_IMPORT_TRANSPORT, "transport" },
	{ &weir_schema_syslog, WEIR_SYSLOG_APP, "app" },
	{ &weir_schema_syslog, WEIR_SYSLOG_FACILITY, "facility" },
	{ &weir_schema_syslog, WEIR_SYSLOG_SEVERITY, "severity" },
	{ &weir_schema_syslog, WEIR_SYSLOG_PID, "pid" },
	{ &weir_schema_syslog, WEIR_SYSLOG_MESSAGE_ID, "message_id" },
	{ &weir_schema_syslog, WEIR_SYSLOG_MESSAGE, "message" },
	{ &weir_schema_syslog, WEIR_SYSLOG_STRUCTURED, "structured" },
	{ &weir_schema_syslog, WEIR_SYSLOG_RECEIVED_FROM, "received_from" },
	{ &weir_schema_keyvalue, WEIR_KEYVALUE_SAMPLER, "sampler" },
	{ &weir_schema_keyvalue, WEIR_KEYVALUE_ITEM, "item" },
	{ &weir_schema_keyvalue, WEIR_KEYVALUE_VALUE, "value" },
};

/* The last enumerator of each schema counts its columns. */
static const struct {
	const struct weir_schema *schema;
	size_t columns, keys;
	uint32_t flags;
} shapes[] = {
	{ &weir_schema_job, WEIR_JOB_COLUMNS, 3, WEIR_ENTITY },
	{ &weir_schema_job_task, WEIR_JOB_TASK_COLUMNS, 4, WEIR_ENTITY },
	{ &weir_schema_job_host, WEIR_JOB_HOST_COLUMNS, 4, WEIR_ENTITY },
	{ &weir_schema_job_on_host, WEIR_JOB_ON_HOST_COLUMNS, 4, WEIR_ENTITY },
	{ &weir_schema_job_pending, WEIR_JOB_PENDING_COLUMNS, 2, WEIR_ENTITY },
	{ &weir_schema_project, WEIR_PROJECT_COLUMNS, 1, WEIR_ENTITY },
	{ &weir_schema_allocation, WEIR_ALLOCATION_COLUMNS, 4, WEIR_ENTITY },
	{ &weir_schema_project_member, WEIR_PROJECT_MEMBER_COLUMNS, 2, WEIR_ENTITY },
	{ &weir_schema_metagroup, WEIR_METAGROUP_COLUMNS, 2, WEIR_ENTITY },
	{ &weir_schema_darshan_log, WEIR_DARSHAN_LOG_COLUMNS, 2, WEIR_ENTITY },
	{ &weir_schema_darshan_module, WEIR_DARSHAN_MODULE_COLUMNS, 3, WEIR_ENTITY },
	{ &weir_schema_darshan_counter, WEIR_DARSHAN_COUNTER_COLUMNS, 4, WEIR_ENTITY },
	{ &weir_schema_darshan_file, WEIR_DARSHAN_FILE_COLUMNS, 5, WEIR_ENTITY },
	{ &weir_schema_run, WEIR_RUN_COLUMNS, 3, WEIR_ENTITY },
	{ &weir_schema_run_parameter, WEIR_RUN_PARAMETER_COLUMNS, 4, WEIR_ENTITY },
	{ &weir_schema_python_import, WEIR_PYTHON_IMPORT_COLUMNS, 2, 0 },
	{ &weir_schema_syslog, WEIR_SYSLOG_COLUMNS, 1, 0 },
	{ &weir_schema_keyvalue, WEIR_KEYVALUE_COLUMNS, 2, 0 },
};

/* Types, roles and units, a sample of each kind. */
static const struct {
	const struct weir_schema *schema;
	size_t column;
	enum weir_type type;
	enum weir_role role;
	const char *unit;
} cells[] = {
	{ &weir_schema_job, WEIR_JOB_JOB_ID, WEIR_STR, WEIR_KEY, NULL },
	{ &weir_schema_job, WEIR_JOB_ATTEMPT, WEIR_I64, WEIR_KEY, "1" },
	{ &weir_schema_job, WEIR_JOB_JOB_NUMBER, WEIR_U64, WEIR_GAUGE, "1" },
	{ &weir_schema_job, WEIR_JOB_ARRAY_JOB, WEIR_STR, WEIR_LABEL, NULL },
	{ &weir_schema_job, WEIR_JOB_ARRAY_TASK, WEIR_I64, WEIR_GAUGE, "1" },
	{ &weir_schema_job, WEIR_JOB_EXIT_CODE, WEIR_I64, WEIR_GAUGE, "1" },
	{ &weir_schema_job, WEIR_JOB_SUBMIT_TIME, WEIR_TIME, WEIR_LABEL, NULL },
	{ &weir_schema_job, WEIR_JOB_WALL_TIME, WEIR_F64, WEIR_GAUGE, "s" },
	{ &weir_schema_job, WEIR_JOB_MEM_REQUESTED, WEIR_U64, WEIR_GAUGE, "By" },
	{ &weir_schema_job, WEIR_JOB_MEM_INTEGRAL, WEIR_F64, WEIR_GAUGE, "By.s" },
	{ &weir_schema_job, WEIR_JOB_IO_BYTES, WEIR_F64, WEIR_GAUGE, "By" },
	{ &weir_schema_job, WEIR_JOB_ENERGY, WEIR_F64, WEIR_GAUGE, "J" },
	{ &weir_schema_job, WEIR_JOB_USAGE_VALID, WEIR_BOOL, WEIR_LABEL, NULL },
	{ &weir_schema_job_task, WEIR_JOB_TASK_INCLUDED, WEIR_BOOL, WEIR_LABEL, NULL },
	{ &weir_schema_job_task, WEIR_JOB_TASK_TASKS, WEIR_U64, WEIR_GAUGE, "1" },
	{ &weir_schema_job_host, WEIR_JOB_HOST_SLOTS, WEIR_U64, WEIR_GAUGE, "1" },
	{ &weir_schema_job_on_host, WEIR_JOB_ON_HOST_STARTED, WEIR_I64, WEIR_KEY, "s" },
	{ &weir_schema_job_on_host, WEIR_JOB_ON_HOST_MEMORY_LIMIT, WEIR_U64, WEIR_GAUGE, "By" },
	{ &weir_schema_job_on_host, WEIR_JOB_ON_HOST_GPUS, WEIR_STR, WEIR_LABEL, NULL },
	{ &weir_schema_job_pending, WEIR_JOB_PENDING_COUNT, WEIR_U64, WEIR_GAUGE, "1" },
	{ &weir_schema_metagroup, WEIR_METAGROUP_POSITION, WEIR_I64, WEIR_KEY, "1" },
	{ &weir_schema_darshan_log, WEIR_DARSHAN_LOG_PARTIAL, WEIR_BOOL, WEIR_LABEL, NULL },
	{ &weir_schema_darshan_log, WEIR_DARSHAN_LOG_RUN_TIME, WEIR_F64, WEIR_GAUGE, "s" },
	{ &weir_schema_darshan_module, WEIR_DARSHAN_MODULE_AGG_BANDWIDTH, WEIR_F64, WEIR_GAUGE,
		"By/s" },
	{ &weir_schema_darshan_module, WEIR_DARSHAN_MODULE_ACCESS4_SIZE, WEIR_U64, WEIR_GAUGE, "By" },
	{ &weir_schema_darshan_module, WEIR_DARSHAN_MODULE_ACCESS4_COUNT, WEIR_U64, WEIR_GAUGE, "1" },
	{ &weir_schema_darshan_counter, WEIR_DARSHAN_COUNTER_VALUE, WEIR_F64, WEIR_GAUGE, "1" },
	{ &weir_schema_darshan_file, WEIR_DARSHAN_FILE_RECORD, WEIR_STR, WEIR_KEY, NULL },
	{ &weir_schema_darshan_file, WEIR_DARSHAN_FILE_RANK, WEIR_I64, WEIR_KEY, "1" },
	{ &weir_schema_run, WEIR_RUN_COST, WEIR_F64, WEIR_GAUGE, "s" },
	{ &weir_schema_run, WEIR_RUN_SIMULATED_TIME, WEIR_F64, WEIR_GAUGE, "1" },
	{ &weir_schema_run_parameter, WEIR_RUN_PARAMETER_VALUE_NUMBER, WEIR_F64, WEIR_GAUGE, "1" },
	{ &weir_schema_python_import, WEIR_PYTHON_IMPORT_PROCESS, WEIR_STR, WEIR_KEY, NULL },
	{ &weir_schema_python_import, WEIR_PYTHON_IMPORT_RANK, WEIR_I64, WEIR_GAUGE, "1" },
	{ &weir_schema_syslog, WEIR_SYSLOG_SEVERITY, WEIR_U64, WEIR_GAUGE, "1" },
	{ &weir_schema_keyvalue, WEIR_KEYVALUE_SAMPLER, WEIR_STR, WEIR_KEY, NULL },
	{ &weir_schema_keyvalue, WEIR_KEYVALUE_ITEM, WEIR_STR, WEIR_KEY, NULL },
	{ &weir_schema_keyvalue, WEIR_KEYVALUE_VALUE, WEIR_I64, WEIR_GAUGE, "1" },
};

static void
test_rules(void **state)
{
	(void)state;
	for (size_t i = 0; i < WEIR_COUNT(all); i++) {
		struct weir_err err = { 0 };

		if (schema_check(all[i], &err))
			fail_msg("%s", err.text);
		assert_int_equal(schema_keys(all[i]), all[i]->n_keys);
	}
}

static void
test_places(void **state)
{
	(void)state;
	for (size_t i = 0; i < WEIR_COUNT(places); i++) {
		assert_true(places[i].column < places[i].schema->n_columns);
		assert_string_equal(places[i].schema->columns[places[i].column].name, places[i].name);
	}
}

static void
test_shapes(void **state)
{
	size_t columns = 0;

	(void)state;
	assert_int_equal(WEIR_COUNT(shapes), WEIR_COUNT(all));
	for (size_t i = 0; i < WEIR_COUNT(shapes); i++) {
		assert_int_equal(shapes[i].schema->n_columns, shapes[i].columns);
		assert_int_equal(shapes[i].schema->n_keys, shapes[i].keys);
		assert_int_equal(shapes[i].schema->flags, shapes[i].flags);
		columns += shapes[i].columns;
	}
	assert_int_equal(WEIR_COUNT(places), columns);
}

static void
test_cells(void **state)
{
	(void)state;
	for (size_t i = 0; i < WEIR_COUNT(cells); i++) {
		const struct weir_column *c = &cells[i].schema->columns[cells[i].column];

		assert_int_equal(c->type, cells[i].type);
		assert_int_equal(c->role, cells[i].role);
		assert_int_equal(c->divisor, 0);
		if (cells[i].unit)
			assert_string_equal(c->unit, cells[i].unit);
		else
			assert_null(c->unit);
	}
}

/* A hint for databases names columns of its schema. */
static void
test_indexes(void **state)
{
	size_t hints = 0;

	(void)state;
	for (size_t i = 0; i < WEIR_COUNT(all); i++)
		for (const char *const *hint = all[i]->indexes; hint && *hint; hint++, hints++) {
			char text[200], *save = NULL;

			assert_true(strlen(*hint) < sizeof(text));
			memcpy(text, *hint, strlen(*hint) + 1);
			for (char *word = strtok_r(text, ", ", &save); word;
				 word = strtok_r(NULL, ", ", &save)) {
				bool found = !strcmp(word, "time");

				for (size_t c = 0; c < all[i]->n_columns; c++)
					found = found || !strcmp(all[i]->columns[c].name, word);
				if (!found)
					fail_msg("schema '%s': index of '%s'", all[i]->name, word);
			}
		}
	assert_true(hints >= 4);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rules),
		cmocka_unit_test(test_places),
		cmocka_unit_test(test_shapes),
		cmocka_unit_test(test_cells),
		cmocka_unit_test(test_indexes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
