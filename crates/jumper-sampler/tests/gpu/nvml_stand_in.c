/* A library with NVML's names and binary interface (nvml.h, API version 12), for machines without its hardware.
 *
 * What it says is in the file `nvml.state` in its own directory, which is read anew for each call, so that a test can
 * change it while somebody listens. One statement a line:
 *
 *     gpus N                        how many there are (default 2)
 *     mig GPU                       this one is cut into two instances, 1 and 3
 *     lost GPU                      this one has fallen off the bus
 *     denied                        the user may not ask for processes
 *     refused                       the user may not ask for anything
 *     hang                          no call returns
 *     process GPU PID MIB SM MEM    MIB of its memory, SM and MEM percent of its time
 *
 *     cc -shared -fPIC -o libnvidia-ml.so.1 nvml_stand_in.c
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
    SUCCESS = 0,
    INVALID_ARGUMENT = 2,
    NOT_SUPPORTED = 3,
    NO_PERMISSION = 4,
    NOT_FOUND = 6,
    INSUFFICIENT_SIZE = 7,
    GPU_IS_LOST = 15,
};

enum { GPUS = 8, INSTANCES = 7, PROCESSES = 16 };

typedef struct { int gpu; int instance; } device;
typedef struct { unsigned int gpu; unsigned int memory; } utilization;
typedef struct { unsigned int version; unsigned long long total, reserved, free, used; } memory_v2;
typedef struct {
    unsigned int pid;
    unsigned long long used;
    unsigned int gpu_instance, compute_instance;
} process_info;
typedef struct {
    unsigned int pid;
    unsigned long long time;
    unsigned int sm, memory, encoder, decoder;
} process_sample;

static struct { int gpu; unsigned int pid, mib, sm, memory; } processes[PROCESSES];
static int process_count, gpu_count, mig, lost, denied, refused, hang;
static device devices[GPUS], instances[GPUS][INSTANCES];

/* Reads the file. What it says is the same for all threads, of which there is one. */
static void refresh(void) {
    Dl_info self;
    char path[4096], line[256];
    process_count = 0, gpu_count = 2, mig = lost = -1, denied = refused = hang = 0;
    if (!dladdr((void *)refresh, &self)) return;
    snprintf(path, sizeof path, "%s", self.dli_fname);
    char *name = strrchr(path, '/');
    if (!name) return;
    snprintf(name, sizeof path - (size_t)(name - path), "/nvml.state");
    FILE *file = fopen(path, "r");
    if (!file) return;
    while (fgets(line, sizeof line, file)) {
        sscanf(line, "gpus %d", &gpu_count);
        sscanf(line, "mig %d", &mig);
        sscanf(line, "lost %d", &lost);
        denied |= !strncmp(line, "denied", 6);
        refused |= !strncmp(line, "refused", 7);
        hang |= !strncmp(line, "hang", 4);
        int at = process_count;
        if (at < PROCESSES && sscanf(line, "process %d %u %u %u %u", &processes[at].gpu, &processes[at].pid,
                                     &processes[at].mib, &processes[at].sm, &processes[at].memory) == 5)
            process_count++;
    }
    fclose(file);
    while (hang) pause();
}

/* Whether a device can be asked at all. */
static int look(device *asked) {
    refresh();
    if (!asked) return INVALID_ARGUMENT;
    return asked->gpu == lost ? GPU_IS_LOST : SUCCESS;
}

#define ASK(device) do { int status = look(device); if (status) return status; } while (0)

static int is_cut(device *asked) { return asked->gpu == mig && !asked->instance; }

int nvmlInit_v2(void) { refresh(); return refused ? NO_PERMISSION : SUCCESS; }
int nvmlShutdown(void) { return SUCCESS; }

int nvmlSystemGetDriverVersion(char *version, unsigned int length) {
    snprintf(version, length, "580.95.05");
    return SUCCESS;
}

int nvmlDeviceGetCount_v2(unsigned int *count) { refresh(); *count = (unsigned int)gpu_count; return SUCCESS; }

int nvmlDeviceGetHandleByIndex_v2(unsigned int index, device **found) {
    refresh();
    if ((int)index >= gpu_count || index >= GPUS) return INVALID_ARGUMENT;
    devices[index].gpu = (int)index;
    *found = &devices[index];
    return SUCCESS;
}

int nvmlDeviceGetName(device *asked, char *name, unsigned int length) {
    ASK(asked);
    snprintf(name, length, "NVIDIA Stand-in %d", asked->gpu);
    return SUCCESS;
}

int nvmlDeviceGetMemoryInfo_v2(device *asked, memory_v2 *memory) {
    ASK(asked);
    if (memory->version != (sizeof *memory | 2u << 24)) return INVALID_ARGUMENT;
    memory->total = 16ull << 30;
    memory->reserved = 1ull << 28;
    memory->used = (asked->instance ? 1ull : 4ull) << 30;
    memory->free = memory->total - memory->used - memory->reserved;
    return SUCCESS;
}

/* Some drivers say 0 of a device that is cut into instances, and so does this one. */
int nvmlDeviceGetUtilizationRates(device *asked, utilization *rates) {
    ASK(asked);
    rates->gpu = is_cut(asked) ? 0 : 60 + 20 * (unsigned int)asked->gpu;
    rates->memory = is_cut(asked) ? 0 : 30;
    return SUCCESS;
}

int nvmlDeviceGetPowerUsage(device *asked, unsigned int *milliwatts) {
    ASK(asked);
    *milliwatts = 250500;
    return SUCCESS;
}

int nvmlDeviceGetTemperature(device *asked, int sensor, unsigned int *celsius) {
    ASK(asked);
    if (sensor != 0) return INVALID_ARGUMENT;
    *celsius = 65;
    return SUCCESS;
}

int nvmlDeviceGetClockInfo(device *asked, int clock, unsigned int *megahertz) {
    ASK(asked);
    *megahertz = clock == 1 ? 1755 : clock == 2 ? 2619 : 0;
    return SUCCESS;
}

/* Ten joules more for each time it is asked. */
int nvmlDeviceGetTotalEnergyConsumption(device *asked, unsigned long long *millijoules) {
    static unsigned long long total[GPUS];
    ASK(asked);
    *millijoules = 1000000 + (total[asked->gpu] += 10000);
    return SUCCESS;
}

/* Power cap on even devices; the second is hot. */
int nvmlDeviceGetCurrentClocksThrottleReasons(device *asked, unsigned long long *reasons) {
    ASK(asked);
    *reasons = asked->gpu % 2 ? 0x8 | 0x40 : 0x4;
    return SUCCESS;
}

static int list(device *asked, unsigned int *count, process_info *infos) {
    unsigned int room = *count, found = 0;
    ASK(asked);
    if (denied) return NO_PERMISSION;
    for (int at = 0; at < process_count; at++) {
        if (processes[at].gpu != asked->gpu) continue;
        /* Of a device that is cut, processes are those of its first instance. */
        if (asked->instance > 1) continue;
        if (found < room && infos)
            infos[found] = (process_info){processes[at].pid, (unsigned long long)processes[at].mib << 20, ~0u, ~0u};
        found++;
    }
    *count = found;
    return found > room ? INSUFFICIENT_SIZE : SUCCESS;
}

int nvmlDeviceGetComputeRunningProcesses_v3(device *asked, unsigned int *count, process_info *infos) {
    return list(asked, count, infos);
}

/* The same processes draw too. */
int nvmlDeviceGetGraphicsRunningProcesses_v3(device *asked, unsigned int *count, process_info *infos) {
    return list(asked, count, infos);
}

int nvmlDeviceGetProcessUtilization(device *asked, process_sample *samples, unsigned int *count,
                                    unsigned long long since) {
    unsigned int room = *count, found = 0;
    ASK(asked);
    if (asked->gpu == mig) return NOT_SUPPORTED;
    if (denied) return NO_PERMISSION;
    for (int at = 0; at < process_count; at++) {
        if (processes[at].gpu != asked->gpu || !processes[at].sm) continue;
        if (found < room && samples)
            samples[found] = (process_sample){processes[at].pid, since + 1000, processes[at].sm,
                                              processes[at].memory, 0, 0};
        found++;
    }
    *count = found;
    if (!found) return NOT_FOUND;
    return found > room ? INSUFFICIENT_SIZE : SUCCESS;
}

int nvmlDeviceGetMigMode(device *asked, unsigned int *current, unsigned int *pending) {
    ASK(asked);
    *current = *pending = asked->gpu == mig;
    return SUCCESS;
}

int nvmlDeviceGetMaxMigDeviceCount(device *asked, unsigned int *count) {
    ASK(asked);
    *count = INSTANCES;
    return SUCCESS;
}

int nvmlDeviceGetMigDeviceHandleByIndex(device *asked, unsigned int index, device **found) {
    ASK(asked);
    if (asked->gpu != mig || (index != 1 && index != 3)) return NOT_FOUND;
    instances[asked->gpu][index] = (device){asked->gpu, (int)index};
    *found = &instances[asked->gpu][index];
    return SUCCESS;
}
