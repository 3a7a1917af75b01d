/* A driver with two GPUs for tests: the first tells everything, the second has no utilisation, like a MIG
   slice. It counts how often it is asked, as the first one's temperature, and takes 0.3 s for that. */
#include <unistd.h>

#define NOT_SUPPORTED 3

typedef struct { unsigned int gpu, memory; } utilization_t;
typedef struct { unsigned long long total, free, used; } memory_t;

static int devices[2];
static unsigned int asked;

int nvmlInitWithFlags(unsigned int flags) { return 0; }
int nvmlInit_v2(void) { return 0; }
const char *nvmlErrorString(int result) { return "not supported"; }
int nvmlDeviceGetCount_v2(unsigned int *count) { *count = 2; return 0; }

int nvmlDeviceGetHandleByIndex_v2(unsigned int index, void **device) {
  *device = &devices[index];
  return 0;
}

int nvmlDeviceGetUtilizationRates(void *device, utilization_t *rates) {
  if (device == &devices[1]) return NOT_SUPPORTED;
  rates->gpu = 87;
  return 0;
}

int nvmlDeviceGetMemoryInfo(void *device, memory_t *memory) {
  memory->used = device == &devices[0] ? 5368709120ULL : 1048576ULL;
  return 0;
}

int nvmlDeviceGetTemperature(void *device, int sensor, unsigned int *temperature) {
  if (device == &devices[0]) {
    usleep(300000);
    asked++;
  }
  *temperature = device == &devices[0] ? 40 + asked : 35;
  return 0;
}
